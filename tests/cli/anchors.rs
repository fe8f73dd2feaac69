//! Anchors as their user meets them: options, policy file, the printed policy, report, `inspect`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::key_forms::{follow, piped, utf16, wrapped};

use crate::program::{Place, assert_cannot, code, stderr, stdout};

/// A root, and a token whose `x5c` is the chain of CN=leaf and this root, both from 2026 to 2036.
const ROOT: &[u8] = include_bytes!("../keyfiles/anchor.cer");
const TOKEN: &str = include_str!("../keyfiles/anchored.jwt");
const NOW: [&str; 2] = ["--now", "1790000000"];
const ANCHOR: [&str; 4] = ["--anchor", "root.cer", "--anchor-name", "CN=leaf"];

fn place() -> Place {
    let place = Place::new();
    place.write("root.cer", ROOT);
    place.write("log", TOKEN);
    place
}

fn report(place: &Place, options: &[&str]) -> Value {
    let output = place.run(&[&["audit", "--format", "json"], options, &NOW, &["log"]].concat());
    assert!(code(&output) < 2, "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).expect("a report")
}

#[test]
fn an_anchor_and_a_name_make_the_tokens_of_its_chains_valid() {
    let place = place();
    let found = report(&place, &ANCHOR);
    assert_eq!(
        (&found["valid"], &found["rejected"]),
        (&json!(1), &json!(0))
    );
    let key = json!({"valid": 1, "rejected": 0, "anchor_names": ["CN=leaf"]});
    assert_eq!(found["keys"], json!({"anchor-1": key}));
    assert_eq!(found["extended_key_usages"], json!({"none": 1}));
    assert!(
        found["unchecked"]
            .as_array()
            .expect("names")
            .contains(&json!("revocation"))
    );
    let output = place.run(&[&["audit"], &ANCHOR[..], &NOW, &["log"]].concat());
    let text = stdout(&output);
    for part in [
        "anchor-1, root.cer: the chains of CN=leaf",
        "the revocation of certificates is not checked",
        "extended key usage of their signers: none (1 token)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Another name, another time, or the root as a key.
    for (options, reason) in [
        (
            &["--anchor", "root.cer", "--anchor-name", "CN=Leaf"][..],
            "chain-invalid",
        ),
        (&["--key", "root.cer"], "signature-mismatch"),
    ] {
        assert_eq!(
            report(&place, options)["reasons"],
            json!({reason: 1}),
            "{options:?}"
        );
    }
}

#[test]
fn the_printed_policy_has_the_anchors_and_says_the_same() {
    let place = place();
    let names = ["--anchor-name", "signer.example.com"];
    let output = place.run(&[&["audit", "--print-policy"], &ANCHOR[..], &names].concat());
    let policy = stdout(&output);
    assert!(
        policy.contains(r#"anchor_name = ["CN=leaf", "signer.example.com"]"#),
        "{policy}"
    );
    place.write("policy.toml", &policy);
    let again = stdout(&place.run(&["audit", "--print-policy", "--policy", "policy.toml"]));
    assert_eq!(policy, again);
    assert_eq!(report(&place, &["--policy", "policy.toml"])["valid"], 1);
    for (members, why) in [
        (
            "anchor = \"root.cer\"",
            "policy.toml:2:10: an anchor without anchor_name",
        ),
        (
            "anchor_name = \"CN=leaf\"",
            "policy.toml:2:15: anchor_name without an anchor",
        ),
        (
            "anchor = \"root.cer\"\nanchor_name = \"*.b\"",
            "policy.toml:2:10: ./root.cer: the anchor cannot",
        ),
    ] {
        place.write("policy.toml", format!("[[issuer]]\n{members}\n"));
        let output = place.run(&["audit", "--policy", "policy.toml", "log"]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(why), "{}", stderr(&output));
    }
}

#[test]
fn options_for_anchors_belong_together() {
    let place = place();
    for (options, why) in [
        (&["--anchor", "root.cer"][..], "--anchor-name"),
        (&["--anchor-name", "CN=leaf"], "--anchor"),
        (
            &["--anchor", "none.cer", "--anchor-name", "x"],
            "cannot read the anchor none.cer",
        ),
        (
            &["--anchor", "log", "--anchor-name", "x"],
            "a token, and no key",
        ),
        (
            &[
                "--alg",
                "HS256",
                "--anchor",
                "root.cer",
                "--anchor-name",
                "x",
            ],
            "no key can verify",
        ),
    ] {
        let output = place.run(&[&["audit"], options, &["log"]].concat());
        assert_cannot(&output, &[why]);
    }
    // An anchor is never overwritten.
    let output = place.run(&[&["audit", "-o", "root.cer"], &ANCHOR[..], &["log"]].concat());
    assert_eq!(code(&output), 2, "{}", stdout(&output));
    let kept = std::fs::read(place.path("root.cer"));
    assert_eq!(kept.expect("a file"), ROOT);
}

fn root_pem() -> String {
    let base64 = STANDARD.encode(ROOT);
    format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
}

#[test]
fn an_anchor_is_taken_in_every_form_of_a_key_file() {
    let place = place();
    let (pem, base64) = (root_pem(), STANDARD.encode(ROOT));
    let mut forms = wrapped(&pem);
    forms.extend(wrapped(&base64));
    let by_id = json!({"root": pem}).to_string();
    forms.extend([
        ("DER", ROOT.to_vec()),
        ("base64url", URL_SAFE_NO_PAD.encode(ROOT).into()),
        ("escaped line ends", pem.replace('\n', "\\n").into()),
        ("escaped twice", pem.replace('\n', "\\\\n").into()),
        ("a line of spaces", pem.replace('\n', " ").into()),
        ("text around it", format!("root:\n{pem}\nend\n").into()),
        ("by id, in UTF-16", utf16(&by_id, true, u16::to_be_bytes)),
        ("by id", by_id.into()),
        (
            "in a set",
            json!({"keys": {"root": pem}}).to_string().into(),
        ),
    ]);
    for (form, file) in forms {
        place.write("file", file);
        let options = ["--anchor", "file", "--anchor-name", "CN=leaf"];
        assert_eq!(report(&place, &options)["valid"], 1, "{form}");
    }
    let options = ["audit", "--anchor", "-", "--anchor-name", "CN=leaf"];
    let output = piped(&place, &[&options, &NOW[..], &["log"]].concat(), &pem);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

/// What is said of a file that is given as an anchor.
fn refusal(place: &Place, file: &str) -> String {
    let options = ["audit", "--anchor", file, "--anchor-name", "CN=leaf", "log"];
    let output = place.run(&options);
    assert_cannot(&output, &["the anchor cannot be used", file]);
    stderr(&output)
}

#[test]
fn what_holds_certificates_but_is_no_anchor_is_named_with_the_command_that_makes_one() {
    let place = place();
    let pem = root_pem();
    let wrong = pem.replace("CERTIFICATE", "PUBLIC KEY");
    let old = pem.replace("CERTIFICATE", "X509 CERTIFICATE");
    let base64 = STANDARD.encode(ROOT);
    let saml = format!("<md:E><ds:X509Certificate>{base64}</ds:X509Certificate></md:E>");
    for (file, content, says, command) in [
        (
            "root.p7b",
            &include_bytes!("../keyfiles/other/anchor.p7b")[..],
            "PKCS #7",
            "openssl pkcs7",
        ),
        (
            "my root's.p12",
            include_bytes!("../keyfiles/other/anchor.p12"),
            "PKCS #12",
            "openssl pkcs12",
        ),
        (
            "trusted.pem",
            include_bytes!("../keyfiles/other/anchor.trusted.pem"),
            "trust settings of OpenSSL",
            "openssl x509",
        ),
        ("wrong", wrong.as_bytes(), "but it is a certificate", "sed "),
        ("old", old.as_bytes(), "an old label of OpenSSL", "sed "),
        (
            "saml.xml",
            saml.as_bytes(),
            "XML with certificates",
            "tr -d",
        ),
    ] {
        place.write(file, content);
        let message = refusal(&place, file);
        assert!(message.contains(says), "{message}");
        if follow(&place, &message, command) {
            let made = format!("{file}.pem");
            let options = ["--anchor", &made, "--anchor-name", "CN=leaf"];
            assert_eq!(report(&place, &options)["valid"], 1, "{made}");
        }
    }
}

#[test]
fn what_is_no_certificate_is_named_and_no_command_makes_a_bare_key_of_it() {
    const AN_ANCHOR_IS: &str = "an anchor is the certificate of an authority, in PEM or DER";
    let place = place();
    let public = include_str!("../keyfiles/ec.pub");
    let private = include_str!("../keyfiles/ec.p8");
    let jwk = json!({"kty": "oct", "k": "c2VjcmV0"});
    let both = format!("{}{public}", root_pem());
    for (content, says) in [
        (public.as_bytes(), "it has a public key"),
        (private.as_bytes(), "it has a private key"),
        (both.as_bytes(), "it has a public key"),
        (
            include_bytes!("../keyfiles/other/request.csr"),
            "a certificate request (CSR)",
        ),
        (
            include_bytes!("../keyfiles/other/request.der"),
            "a certificate request (CSR)",
        ),
        (
            include_bytes!("../keyfiles/other/encrypted.pem"),
            "an encrypted private key",
        ),
        (
            include_bytes!("../keyfiles/other/encrypted.der"),
            "an encrypted private key",
        ),
        (
            include_bytes!("../keyfiles/other/ec.ssh.key"),
            "a private key of OpenSSH",
        ),
        (
            include_bytes!("../keyfiles/other/ed.ssh.pub"),
            "a public key of OpenSSH",
        ),
        (jwk.to_string().as_bytes(), "JSON without a certificate"),
        (
            json!({"keys": [jwk]}).to_string().as_bytes(),
            "JSON without a certificate",
        ),
        (
            json!({"root": public}).to_string().as_bytes(),
            "JSON without a certificate",
        ),
        (b"https://ca.example.com/root", "a URL"),
        (b"<!DOCTYPE html>", "an HTML page"),
        (b"root", "neither PEM, DER"),
        (b"", "the file is empty"),
        (
            &ROOT[..ROOT.len() - 1],
            "its length is not that of the file",
        ),
        (
            &utf16(private, true, u16::to_le_bytes),
            "it has a private key",
        ),
    ] {
        place.write("file", content);
        let message = refusal(&place, "file");
        for part in [says, AN_ANCHOR_IS] {
            assert!(message.contains(part), "{part}: {message}");
        }
        for command in ["openssl ", "ssh-keygen ", "file.pem", "c2VjcmV0"] {
            assert!(!message.contains(command), "{message}");
        }
    }
}

#[test]
fn inspect_says_where_a_chain_leads() {
    let place = place();
    let page = |options: &[&str]| {
        let output = place.run(&[&["inspect"], options, &NOW, &[TOKEN.trim()]].concat());
        // Lines are wrapped.
        stdout(&output)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    let valid = page(&ANCHOR);
    for part in [
        "VALID",
        r#"its certificate chain leads to the anchor "anchor-1" from "root.cer""#,
        "revocation is not checked",
        "ES256 holds under the key of the first certificate of x5c",
    ] {
        assert!(valid.contains(part), "{part}: {valid}");
    }
    let refused = page(&["--anchor", "root.cer", "--anchor-name", "leaf"]);
    assert!(refused.contains("REJECTED: chain-invalid"), "{refused}");
    assert!(refused.contains("has none of the names"), "{refused}");
    let keys = stdout(&place.run(&[&["keys"], &ANCHOR[..]].concat()));
    assert!(keys.contains("none (anchor of CN=leaf)"), "{keys}");
}
