// An OPC UA server that is not asyncua's: variables of each type, one that counts, one that can be written.
globalThis.crypto ??= require("node:crypto").webcrypto; // Node.js 18 keeps it there
const { OPCUAServer } = require("node-opcua-server");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { DataType, VariantArrayType } = require("node-opcua-variant");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const path = require("path");

async function main(port, folder) {
  const serverCertificateManager = new OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: true,
    rootFolder: path.join(folder, "pki"),
  });
  const server = new OPCUAServer({
    port, host: "127.0.0.1",
    serverCertificateManager,
    serverInfo: { applicationUri: "urn:node:press" },
    securityModes: [MessageSecurityMode.None, MessageSecurityMode.SignAndEncrypt],
    securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
    userManager: { isValidUser: (user, password) => user === "line" && password === "right-4711" },
    disableDiscovery: true,
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.registerNamespace("urn:node:press");
  const press = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "Press" });
  const held = {};
  const add = (name, dataType, value, arrayType = VariantArrayType.Scalar) => {
    held[name] = own.addVariable({ componentOf: press, browseName: name, nodeId: `s=Press.${name}`, dataType, minimumSamplingInterval: 10 });
    held[name].setValueFromSource({ dataType, arrayType, value });
  };
  add("Running", DataType.Boolean, true);
  add("Small", DataType.SByte, -5);
  add("State", DataType.Int16, 3);
  add("Ticks", DataType.UInt32, 0);
  add("Big", DataType.Int64, [0, 4000000000], VariantArrayType.Scalar);
  add("Force", DataType.Float, 12.5);
  add("Torque", DataType.Double, 1.25);
  add("Unit", DataType.String, "TR-0001");
  add("Hold", DataType.UInt16, 0);
  let ticks = 0;
  await server.start();
  setInterval(() => held.Ticks.setValueFromSource({ dataType: DataType.UInt32, value: ++ticks }), 150);
  console.log(JSON.stringify({ port: server.endpoints[0].port }));
  process.stdin.on("end", () => process.exit(0)).resume();
}
main(Number(process.argv[2]), process.argv[3]).catch((error) => { console.error(error); process.exit(1); });
