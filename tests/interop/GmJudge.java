// Bouncy Castle as the judge of GM/T 0010: verifies and makes SignedData, opens and makes EnvelopedData.
//
// Reads commands from standard input, one a line, words separated by tabs; answers each with a line
// "ok" and what was found, or "error" and why. Files are named by the commands.
//
//   verify SIGNED CONTENT|- OUT          every signature; attached content is written to OUT
//   sign KEY CERT CONTENT OUT national|mixed|pkcs7 attached|detached attributes|direct
//   decrypt KEY SEALED OUT
//   encrypt CERT CONTENT OUT national|pkcs7 der|raw

import java.io.BufferedReader;
import java.io.FileReader;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.util.Arrays;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.BERSequence;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedContentInfo;
import org.bouncycastle.asn1.cms.EnvelopedData;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.cms.KeyTransRecipientInfo;
import org.bouncycastle.asn1.cms.RecipientIdentifier;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

public class GmJudge {
    static final String GM = "1.2.156.10197.6.1.4.2.";
    static final String PKCS7 = "1.2.840.113549.1.7.";
    static final ASN1ObjectIdentifier SM2_ENCRYPT = new ASN1ObjectIdentifier("1.2.156.10197.1.301.3");
    static final ASN1ObjectIdentifier SM4_CBC = new ASN1ObjectIdentifier("1.2.156.10197.1.104.2");

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            try {
                System.out.println("ok\t" + run(line.split("\t")));
            } catch (Exception error) {
                System.out.println("error\t" + error.toString().replace('\n', ' '));
            }
            System.out.flush();
        }
    }

    static String run(String[] words) throws Exception {
        switch (words[0]) {
            case "verify":
                return verify(words[1], words[2], words[3]);
            case "sign":
                return sign(Arrays.asList(words));
            case "decrypt":
                return decrypt(words[1], words[2], words[3]);
            case "encrypt":
                return encrypt(words[1], words[2], words[3], words[4], words[5]);
            default:
                throw new IllegalArgumentException("no such command");
        }
    }

    static String verify(String signed, String content, String out) throws Exception {
        byte[] encoded = Files.readAllBytes(Path.of(signed));
        CMSSignedData data = content.equals("-")
            ? new CMSSignedData(encoded)
            : new CMSSignedData(new CMSProcessableByteArray(Files.readAllBytes(Path.of(content))), encoded);
        StringBuilder subjects = new StringBuilder();
        for (SignerInformation signer : data.getSignerInfos().getSigners()) {
            X509CertificateHolder holder =
                (X509CertificateHolder) data.getCertificates().getMatches(signer.getSID()).iterator().next();
            if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder))) {
                throw new SecurityException("a signature does not hold");
            }
            subjects.append(holder.getSubject()).append(';');
        }
        if (subjects.length() == 0) {
            throw new SecurityException("nobody signed");
        }
        if (content.equals("-")) {
            Files.write(Path.of(out), (byte[]) data.getSignedContent().getContent());
        }
        return subjects.toString();
    }

    static String sign(List<String> words) throws Exception {
        PrivateKey key = readKey(words.get(1));
        X509CertificateHolder holder = readCertificate(words.get(2));
        boolean national = words.get(5).equals("national");
        boolean foreign = national || words.get(5).equals("mixed");
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        JcaSignerInfoGeneratorBuilder builder = new JcaSignerInfoGeneratorBuilder(
            new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
        builder.setDirectSignature(words.get(7).equals("direct"));
        generator.addSignerInfoGenerator(builder.build(
            new JcaContentSignerBuilder("SM3withSM2").setProvider("BC").build(key), holder));
        generator.addCertificates(new JcaCertStore(List.of(holder)));
        ASN1ObjectIdentifier type = new ASN1ObjectIdentifier((foreign ? GM : PKCS7) + "1");
        byte[] content = Files.readAllBytes(Path.of(words.get(3)));
        CMSSignedData signed = generator.generate(
            new CMSProcessableByteArray(type, content), words.get(6).equals("attached"));
        ASN1ObjectIdentifier outer = new ASN1ObjectIdentifier((national ? GM : PKCS7) + "2");
        ASN1Encodable inner = signed.toASN1Structure().getContent();
        ContentInfo info = new ContentInfo(outer, national ? withVersion1(inner) : inner);
        Files.write(Path.of(words.get(4)), info.getEncoded());
        return "";
    }

    // GM/T 0010 wants 1 whatever the content type; Bouncy Castle goes by RFC 5652 and writes 3.
    static ASN1Encodable withVersion1(ASN1Encodable signedData) {
        ASN1EncodableVector fields = new ASN1EncodableVector();
        for (ASN1Encodable field : ASN1Sequence.getInstance(signedData.toASN1Primitive())) {
            fields.add(fields.size() == 0 ? new ASN1Integer(1) : field);
        }
        return new BERSequence(fields);
    }

    static String decrypt(String key, String sealed, String out) throws Exception {
        ContentInfo info = ContentInfo.getInstance(Files.readAllBytes(Path.of(sealed)));
        EnvelopedData envelope = EnvelopedData.getInstance(info.getContent());
        KeyTransRecipientInfo recipient = KeyTransRecipientInfo.getInstance(
            RecipientInfo.getInstance(envelope.getRecipientInfos().getObjectAt(0)).getInfo());
        if (!recipient.getKeyEncryptionAlgorithm().getAlgorithm().equals(SM2_ENCRYPT)) {
            throw new SecurityException("the key does not travel by SM2");
        }
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
        engine.init(false, PrivateKeyFactory.createKey(PrivateKeyInfo.getInstance(readKey(key).getEncoded())));
        byte[] wrapped = toRaw(recipient.getEncryptedKey().getOctets());
        byte[] contentKey = engine.processBlock(wrapped, 0, wrapped.length);
        EncryptedContentInfo content = envelope.getEncryptedContentInfo();
        if (!content.getContentEncryptionAlgorithm().getAlgorithm().equals(SM4_CBC)) {
            throw new SecurityException("the content is not under SM4-CBC");
        }
        byte[] initial = ASN1OctetString.getInstance(
            content.getContentEncryptionAlgorithm().getParameters()).getOctets();
        Cipher cipher = Cipher.getInstance("SM4/CBC/PKCS5Padding", "BC");
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(contentKey, "SM4"), new IvParameterSpec(initial));
        Files.write(Path.of(out), cipher.doFinal(content.getEncryptedContent().getOctets()));
        return info.getContentType().getId();
    }

    static String encrypt(String certificate, String content, String out, String kind, String form)
            throws Exception {
        X509CertificateHolder holder = readCertificate(certificate);
        boolean national = kind.equals("national");
        SecureRandom random = new SecureRandom();
        byte[] contentKey = new byte[16];
        byte[] initial = new byte[16];
        random.nextBytes(contentKey);
        random.nextBytes(initial);
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
        engine.init(true, new ParametersWithRandom(
            PublicKeyFactory.createKey(holder.getSubjectPublicKeyInfo()), random));
        byte[] wrapped = engine.processBlock(contentKey, 0, contentKey.length);
        Cipher cipher = Cipher.getInstance("SM4/CBC/PKCS5Padding", "BC");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(contentKey, "SM4"), new IvParameterSpec(initial));
        byte[] sealed = cipher.doFinal(Files.readAllBytes(Path.of(content)));
        KeyTransRecipientInfo recipient = new KeyTransRecipientInfo(
            new RecipientIdentifier(new IssuerAndSerialNumber(holder.getIssuer(), holder.getSerialNumber())),
            new AlgorithmIdentifier(SM2_ENCRYPT),
            new DEROctetString(form.equals("der") ? toDer(wrapped) : wrapped));
        EncryptedContentInfo inner = new EncryptedContentInfo(
            new ASN1ObjectIdentifier((national ? GM : PKCS7) + "1"),
            new AlgorithmIdentifier(SM4_CBC, new DEROctetString(initial)),
            new DEROctetString(sealed));
        EnvelopedData envelope = new EnvelopedData(null, new DERSet(new RecipientInfo(recipient)), inner,
            (org.bouncycastle.asn1.cms.Attributes) null);
        ASN1ObjectIdentifier outer = new ASN1ObjectIdentifier((national ? GM : PKCS7) + "3");
        Files.write(Path.of(out), new ContentInfo(outer, envelope).getEncoded());
        return "";
    }

    // GM/T 0009: SEQUENCE { x, y, C3, C2 } in place of 04 || x || y || C3 || C2.
    static byte[] toDer(byte[] raw) throws Exception {
        ASN1EncodableVector fields = new ASN1EncodableVector();
        fields.add(new ASN1Integer(new BigInteger(1, Arrays.copyOfRange(raw, 1, 33))));
        fields.add(new ASN1Integer(new BigInteger(1, Arrays.copyOfRange(raw, 33, 65))));
        fields.add(new DEROctetString(Arrays.copyOfRange(raw, 65, 97)));
        fields.add(new DEROctetString(Arrays.copyOfRange(raw, 97, raw.length)));
        return new DERSequence(fields).getEncoded();
    }

    static byte[] toRaw(byte[] cipher) {
        if (cipher[0] == 4) {
            return cipher;
        }
        ASN1Sequence fields = ASN1Sequence.getInstance(cipher);
        byte[] check = ASN1OctetString.getInstance(fields.getObjectAt(2)).getOctets();
        byte[] text = ASN1OctetString.getInstance(fields.getObjectAt(3)).getOctets();
        byte[] raw = new byte[65 + check.length + text.length];
        raw[0] = 4;
        copyNumber(fields.getObjectAt(0), raw, 1);
        copyNumber(fields.getObjectAt(1), raw, 33);
        System.arraycopy(check, 0, raw, 65, check.length);
        System.arraycopy(text, 0, raw, 65 + check.length, text.length);
        return raw;
    }

    static void copyNumber(ASN1Encodable number, byte[] target, int start) {
        byte[] octets = ASN1Integer.getInstance(number).getPositiveValue().toByteArray();
        int skipped = Math.max(0, octets.length - 32);
        int length = octets.length - skipped;
        System.arraycopy(octets, skipped, target, start + 32 - length, length);
    }

    static PrivateKey readKey(String path) throws Exception {
        try (PEMParser parser = new PEMParser(new FileReader(path))) {
            return new JcaPEMKeyConverter().setProvider("BC").getPrivateKey((PrivateKeyInfo) parser.readObject());
        }
    }

    static X509CertificateHolder readCertificate(String path) throws Exception {
        try (PEMParser parser = new PEMParser(new FileReader(path))) {
            return (X509CertificateHolder) parser.readObject();
        }
    }
}
