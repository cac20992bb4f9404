// The format of sealed values once more, with Node's own crypto: it shares nothing with ours.
//   node node.js seal CERTIFICATE LABEL < value     node node.js open KEY LABEL < sealed
const crypto = require("node:crypto");
const fs = require("node:fs");

const [what, pem, label] = process.argv.slice(2);
const oaep = {
  key: fs.readFileSync(pem, "utf8"),
  padding: crypto.constants.RSA_PKCS1_OAEP_PADDING,
  oaepHash: "sha256",
  oaepLabel: Buffer.from(label),
};
const input = fs.readFileSync(0);

if (what === "seal") {
  const session = crypto.randomBytes(32);
  const locked = crypto.publicEncrypt(oaep, session);
  const cipher = crypto.createCipheriv("aes-256-gcm", session, Buffer.alloc(12));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(locked.length);
  const body = [cipher.update(input), cipher.final(), cipher.getAuthTag()];
  process.stdout.write(Buffer.concat([length, locked, ...body]).toString("base64"));
} else {
  const raw = Buffer.from(input.toString("ascii"), "base64");
  const end = 2 + raw.readUInt16BE(0);
  const session = crypto.privateDecrypt(oaep, raw.subarray(2, end));
  const decipher = crypto.createDecipheriv("aes-256-gcm", session, Buffer.alloc(12));
  decipher.setAuthTag(raw.subarray(-16));
  process.stdout.write(Buffer.concat([decipher.update(raw.subarray(end, -16)), decipher.final()]));
}
