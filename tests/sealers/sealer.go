// The format of sealed values once more, with Go's standard library, in which kubeseal is written.
//
//	sealer seal CERTIFICATE LABEL < value    sealer open KEY LABEL < sealed
package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"io"
	"os"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func gcm(session []byte) cipher.AEAD {
	return must(cipher.NewGCM(must(aes.NewCipher(session))))
}

func main() {
	what, label := os.Args[1], []byte(os.Args[3])
	block, _ := pem.Decode(must(os.ReadFile(os.Args[2])))
	input := must(io.ReadAll(os.Stdin))
	nonce := make([]byte, 12)
	if what == "seal" {
		public := must(x509.ParseCertificate(block.Bytes)).PublicKey.(*rsa.PublicKey)
		session := make([]byte, 32)
		must(rand.Read(session))
		locked := must(rsa.EncryptOAEP(sha256.New(), rand.Reader, public, session, label))
		out := binary.BigEndian.AppendUint16(nil, uint16(len(locked)))
		out = gcm(session).Seal(append(out, locked...), nonce, input, nil)
		must(os.Stdout.WriteString(base64.StdEncoding.EncodeToString(out)))
		return
	}
	private := must(x509.ParsePKCS1PrivateKey(block.Bytes))
	raw := must(base64.StdEncoding.DecodeString(string(input)))
	end := 2 + int(binary.BigEndian.Uint16(raw))
	session := must(rsa.DecryptOAEP(sha256.New(), rand.Reader, private, raw[2:end], label))
	must(os.Stdout.Write(must(gcm(session).Open(nil, nonce, raw[end:], nil))))
}
