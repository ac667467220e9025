// An OPC UA server by others: node server.cjs PORT FOLDER. Prints "ready"; ends with its input.
globalThis.crypto ??= require("node:crypto").webcrypto; // Node.js 18 keeps it there
const path = require("path");
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { DataType } = require("node-opcua-variant");
const { StatusCodes } = require("node-opcua-status-code");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");

(async () => {
  const [port, folder] = [Number(process.argv[2]), process.argv[3]];
  const manager = new OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: true,
    rootFolder: path.join(folder, "server"),
  });
  await manager.initialize();
  const server = new OPCUAServer({
    port,
    host: "127.0.0.1",
    disableDiscovery: true,
    serverCertificateManager: manager,
    userCertificateManager: manager,
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [
      SecurityPolicy.None,
      SecurityPolicy.Basic256Sha256,
      SecurityPolicy.Aes128_Sha256_RsaOaep,
      SecurityPolicy.Aes256_Sha256_RsaPss,
    ],
    userManager: { isValidUser: (user, password) => user === "engineer" && password === "secret" },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.getOwnNamespace();
  const station = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "Station" });
  let count = 0;
  const counter = own.addVariable({
    componentOf: station,
    nodeId: "s=Count",
    browseName: "Count",
    dataType: DataType.UInt32,
    value: { dataType: DataType.UInt32, value: 0 },
  });
  own.addVariable({
    componentOf: station,
    nodeId: "s=Torque",
    browseName: "Torque",
    dataType: DataType.Double,
    accessLevel: "CurrentRead | CurrentWrite",
    userAccessLevel: "CurrentRead | CurrentWrite",
    value: { dataType: DataType.Double, value: 1.5 },
  });
  const colours = own.addEnumerationType({ browseName: "Colour", enumeration: ["Off", "Green", "Red"] });
  const andon = own.addVariable({
    componentOf: station,
    nodeId: "s=Andon",
    browseName: "Andon",
    dataType: colours.nodeId,
    accessLevel: "CurrentRead | CurrentWrite",
    userAccessLevel: "CurrentRead | CurrentWrite",
    value: { dataType: DataType.Int32, value: 0 },
  });
  own.addMethod(station, {
    nodeId: "s=SetAndon",
    browseName: "SetAndon",
    inputArguments: [{ name: "colour", dataType: DataType.Int32 }],
    outputArguments: [{ name: "before", dataType: DataType.Int32 }],
  }).bindMethod((inputs, _, done) => {
    const colour = inputs[0].value;
    if (colour > 2) {
      done(null, { statusCode: StatusCodes.BadOutOfRange });
      return;
    }
    const before = andon.readValue().value;
    andon.setValueFromSource({ dataType: DataType.Int32, value: colour });
    done(null, { statusCode: StatusCodes.Good, outputArguments: [before] });
  });
  await server.start();
  const period = Number(process.argv[4] || 20);
  setInterval(() => counter.setValueFromSource({ dataType: DataType.UInt32, value: ++count }), period);
  console.log("ready", own.namespaceUri);
  process.stdin.resume();
  process.stdin.on("end", () => process.exit(0));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
