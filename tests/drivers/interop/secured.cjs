// An OPC UA server by others: node server.cjs PORT FOLDER. Prints "ready"; ends with its input.
globalThis.crypto ??= require("node:crypto").webcrypto; // Node.js 18 keeps it there
const path = require("path");
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { DataType } = require("node-opcua-variant");
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
