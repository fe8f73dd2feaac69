//! Key files as people have them: every key option takes the same forms, and a file of another form
//! is named with the command that makes a key file of it. Where the tools are here, the tests run it.

#![allow(
    clippy::print_stderr,
    reason = "says which advice was not followed, for want of a program"
)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::program::{AUDIT, NOW, Place, assert_cannot, code, good, stderr, stdout};

const RSA: &str = include_str!("../keyfiles/rsa.pub");
const EC: &str = include_str!("../keyfiles/ec.pub");
const ED: &str = include_str!("../keyfiles/ed.pub");
const CERTIFICATE: &str = include_str!("../keyfiles/ec.crt");

/// A file of `keyfiles/other/`.
macro_rules! other {
    ($name:literal) => {
        include_bytes!(concat!("../keyfiles/other/", $name))
    };
}

/// The id and the thumbprint of each key in a file.
fn keys(place: &Place, flag: &str, file: &str) -> Result<Vec<(Value, Value)>, String> {
    let output = place.run(&["keys", "--now", NOW, "--format", "json", flag, file]);
    if code(&output) != 0 {
        return Err(stderr(&output));
    }
    let page: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let keys = page["keys"].as_array().expect("keys").iter();
    Ok(keys
        .map(|key| (key["kid"].clone(), key["thumbprint"].clone()))
        .collect())
}

/// The thumbprint of the only key.
#[track_caller]
fn thumbprint(place: &Place, flag: &str, file: &str) -> Value {
    let keys = keys(place, flag, file).expect("a usable key");
    assert_eq!(keys.len(), 1, "{keys:?}");
    keys[0].1.clone()
}

fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.contains("--")).collect();
    STANDARD.decode(base64).expect("base64")
}

pub(crate) fn utf16(text: &str, mark: bool, encode: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    let text = format!("{mark}{text}");
    text.encode_utf16().flat_map(encode).collect()
}

/// What people do to a text before it reaches a file.
pub(crate) fn wrapped(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let quoted = serde_json::to_string(text).expect("JSON");
    vec![
        ("as it is", text.into()),
        ("a byte order mark", format!("\u{feff}{text}").into()),
        ("CR LF", text.replace('\n', "\r\n").into()),
        ("UTF-16, little-endian", utf16(text, true, u16::to_le_bytes)),
        ("UTF-16, big-endian", utf16(text, true, u16::to_be_bytes)),
        (
            "UTF-16 without a mark",
            utf16(text, false, u16::to_le_bytes),
        ),
        ("a JSON string", quoted.clone().into()),
        ("double quotes", format!("\"{text}\"").into()),
        ("single quotes", format!("'{text}'\n").into()),
        (".env", format!("JWT_PUBLIC_KEY={quoted}\n").into()),
        (".env in single quotes", format!("KEY='{text}'\n").into()),
        ("export", format!("export KEY=\"{text}\"\n").into()),
        (
            ".env in UTF-16",
            utf16(&format!("KEY={quoted}"), true, u16::to_le_bytes),
        ),
    ]
}

#[test]
fn every_key_option_takes_every_form_of_a_key() {
    let place = Place::new();
    for pem in [RSA, EC, ED, CERTIFICATE] {
        place.write("plain", pem);
        let expected = thumbprint(&place, "--key", "plain");
        let der = der(pem);
        let base64 = STANDARD.encode(&der);
        let lines: Vec<&str> = pem.lines().collect();
        let mut forms = wrapped(pem);
        forms.extend(wrapped(&base64));
        forms.extend([
            ("DER", der.clone()),
            (
                "base64 in lines",
                lines[1..lines.len() - 1].join("\n").into(),
            ),
            ("base64url", URL_SAFE_NO_PAD.encode(&der).into()),
            ("escaped line ends", pem.replace('\n', "\\n").into()),
            ("escaped CR LF", pem.replace('\n', "\\r\\n").into()),
            ("escaped twice", pem.replace('\n', "\\\\n").into()),
            ("a line of spaces", pem.replace('\n', " ").into()),
        ]);
        for (form, file) in forms {
            place.write("file", file);
            for flag in ["--key", "--jwks"] {
                assert_eq!(thumbprint(&place, flag, "file"), expected, "{form}: {pem}");
            }
        }
    }
}

/// An element of a set, whatever the set is.
fn jwk(kid: Option<&str>) -> Value {
    let mut key = json!({
        "kty": "OKP", "crv": "Ed25519",
        "x": URL_SAFE_NO_PAD.encode(&der(ED)[12..]),
    });
    if let Some(kid) = kid {
        key["kid"] = kid.into();
    }
    key
}

#[test]
fn sets_of_every_shape_are_read_and_names_are_ids_where_they_can_be_nothing_else() {
    let place = Place::new();
    let (own, none) = (json!("own"), Value::Null);
    for (shape, ids) in [
        (jwk(Some("own")), vec![&own]),
        (json!([jwk(Some("own")), jwk(None)]), vec![&own, &none]),
        (json!({"keys": [jwk(Some("own"))]}), vec![&own]),
        // Names of objects are ids, unless the key has one or they are places of an array.
        (json!({"keys": {"own": jwk(None)}}), vec![&own]),
        (json!({"keys": {"other": jwk(Some("own"))}}), vec![&own]),
        (
            json!({"keys": {"0": jwk(None), "2": jwk(Some("own"))}}),
            vec![&none, &own],
        ),
        (json!({"own": jwk(None)}), vec![&own]),
        (json!({"keys": jwk(Some("own"))}), vec![&own]),
        (json!({"own": ED}), vec![&own]),
        (json!({"own": CERTIFICATE}), vec![&own]),
        (json!({"keys": {"own": RSA}}), vec![&own]),
    ] {
        for (form, file) in wrapped(&shape.to_string()) {
            // A shell does not unescape what is in double quotes in a file, and JSON has those.
            if matches!(form, "double quotes" | "export") {
                continue;
            }
            place.write("set", file);
            for flag in ["--key", "--jwks"] {
                let found = keys(&place, flag, "set").unwrap_or_else(|e| panic!("{form}: {e}"));
                let found: Vec<&Value> = found.iter().map(|(id, _)| id).collect();
                assert_eq!(found, ids, "{form}: {shape}");
            }
        }
    }
}

#[test]
fn a_set_with_two_readings_or_none_is_an_error_that_says_what_it_is() {
    let place = Place::new();
    for (file, says) in [
        (
            json!({"a": ED, "b": 1}),
            "some members are PEM and others are not",
        ),
        (
            json!({"a": ED, "b": jwk(None)}),
            "some members are PEM and others are not",
        ),
        (
            json!({"keys": {"a": ED, "b": 1}}),
            "neither an array nor an object of JWKs",
        ),
        (
            json!({"keys": "none"}),
            "neither an array nor an object of JWKs",
        ),
        (json!([1, "text"]), "the member is not an object"),
        (
            json!({"error": "unauthorized"}),
            "an error that a server answered",
        ),
        (json!({"kid": "a"}), "neither a JWK Set"),
        (json!({"issuer": "x", "jwks_uri": 1}), "neither a JWK Set"),
    ] {
        place.write("file", file.to_string());
        let error = keys(&place, "--jwks", "file").expect_err("no key");
        assert!(error.contains(says), "{file}: {error}");
    }
    place.write("file", format!("{}\n{}\n", jwk(None), jwk(Some("b"))));
    let error = keys(&place, "--jwks", "file").expect_err("no key");
    assert!(error.contains("several JSON values"), "{error}");
    if follow(&place, &error, "jq ") {
        assert_eq!(keys(&place, "--jwks", "file.json").expect("keys").len(), 2);
    }
}

/// Runs the command in a message that begins like this, if its program is here.
#[track_caller]
pub(crate) fn follow(place: &Place, message: &str, command: &str) -> bool {
    let at = message
        .find(command)
        .unwrap_or_else(|| panic!("no command in: {message}"));
    let line = message[at..].lines().next().unwrap_or_default();
    let programs = [
        "openssl",
        "ssh-keygen",
        "curl",
        "jq",
        "awk",
        "sed",
        "iconv",
        "base64",
        "gunzip",
    ];
    for program in programs {
        let is_used = line
            .split(['|', '(', ';'])
            .any(|part| part.trim().starts_with(program));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let is_here = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        if is_used && !is_here {
            eprintln!("not followed, since {program} is not here: {line}");
            return false;
        }
    }
    let line = match line.starts_with("openssl p") && !line.contains("pkcs7") {
        true => format!("{line} -passin pass:test"),
        false => line.to_owned(),
    };
    let output = Command::new("sh")
        .args(["-c", &line])
        .current_dir(place.path(""))
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    assert!(output.status.success(), "{line}: {}", stderr(&output));
    true
}

#[test]
fn a_file_of_another_form_is_named_with_the_command_that_converts_it() {
    let place = Place::new();
    place.write("rsa.pub", RSA);
    place.write("ec.pub", EC);
    place.write("ed.pub", ED);
    place.write("ed2.pub", other!("ed2.pub"));
    let wrong = RSA.replace("PUBLIC KEY", "RSA PUBLIC KEY");
    let swapped = CERTIFICATE.replace("CERTIFICATE", "PUBLIC KEY");
    place.write("ec.crt", CERTIFICATE);
    let old = CERTIFICATE.replace("CERTIFICATE", "X509 CERTIFICATE");
    for (file, content, says, command, same) in [
        (
            "id_rsa.pub",
            &other!("rsa.ssh.pub")[..],
            "a public key of OpenSSH",
            "ssh-keygen -e",
            "rsa.pub",
        ),
        (
            "id_ec.pub",
            other!("ec.ssh.pub"),
            "a public key of OpenSSH",
            "ssh-keygen -e",
            "ec.pub",
        ),
        (
            "id_ed.pub",
            other!("ed.ssh.pub"),
            "a public key of OpenSSH",
            "(printf ",
            "ed.pub",
        ),
        (
            "id_ec",
            other!("ec.ssh.key"),
            "a private key of OpenSSH",
            "ssh-keygen -e",
            "ec.pub",
        ),
        (
            "id_ed",
            other!("ed2.ssh.key"),
            "a private key of OpenSSH",
            "(printf ",
            "ed2.pub",
        ),
        (
            "my store's.p12",
            other!("store.p12"),
            "a key store in PKCS #12",
            "openssl pkcs12",
            "rsa.pub",
        ),
        (
            "a chain.p7b",
            other!("chain.p7b"),
            "certificates in PKCS #7",
            "openssl pkcs7",
            "rsa.pub",
        ),
        (
            "chain.p7b",
            other!("chain.p7b.der"),
            "certificates in PKCS #7",
            "openssl pkcs7",
            "rsa.pub",
        ),
        (
            "req.csr",
            other!("request.csr"),
            "a certificate request (CSR)",
            "openssl req",
            "rsa.pub",
        ),
        (
            "-req.der",
            other!("request.der"),
            "a certificate request (CSR)",
            "openssl req",
            "rsa.pub",
        ),
        (
            "trusted.pem",
            other!("trusted.pem"),
            "trust settings of OpenSSL",
            "openssl x509",
            "rsa.pub",
        ),
        (
            "relabelled.pem",
            other!("relabelled.pem"),
            "labelled CERTIFICATE, but it is",
            "openssl x509",
            "rsa.pub",
        ),
        (
            "trusted.der",
            other!("trusted.der"),
            "trust settings of OpenSSL",
            "openssl x509",
            "rsa.pub",
        ),
        (
            "encrypted",
            other!("encrypted.pem"),
            "an encrypted private key",
            "openssl pkey",
            "ec.pub",
        ),
        (
            "encrypted.der",
            other!("encrypted.der"),
            "an encrypted private key",
            "openssl pkey",
            "ec.pub",
        ),
        (
            "metadata.xml",
            other!("metadata.xml"),
            "XML with certificates",
            "tr -d",
            "rsa.pub",
        ),
        (
            "wrong",
            wrong.as_bytes(),
            "labelled RSA PUBLIC KEY, but it is a SubjectPublicKeyInfo, which is labelled PUBLIC KEY",
            "sed ",
            "rsa.pub",
        ),
        (
            "swapped",
            swapped.as_bytes(),
            "labelled PUBLIC KEY, but it is a certificate",
            "sed ",
            "ec.crt",
        ),
        (
            "old",
            old.as_bytes(),
            "an old label of OpenSSL",
            "sed ",
            "ec.crt",
        ),
    ] {
        let path = place.write(file, content);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        }
        let _ = path;
        let expected = thumbprint(&place, "--key", same);
        for flag in ["--key", "--jwks"] {
            let flag_and_file = format!("{flag}={file}");
            let output = place.run(&["audit", "--now", NOW, &flag_and_file, "secret"]);
            assert_cannot(&output, &[file.trim_start_matches('-'), says]);
            let made = format!("{file}.pem");
            if follow(&place, &stderr(&output), command) {
                let file = format!("./{made}");
                assert_eq!(thumbprint(&place, flag, &file), expected, "{made}");
                fs::remove_file(place.path(&made)).expect("the new file");
            }
        }
    }
}

#[test]
fn what_takes_two_steps_is_named_at_each() {
    let place = Place::new();
    place.write("ec.pub", EC);
    let expected = thumbprint(&place, "--key", "ec.pub");
    place.write("ssh2", other!("ec.ssh2.pub"));
    let pem = STANDARD.encode(other!("chain.p7b.der"));
    let store = STANDARD.encode(other!("store.p12"));
    place.write(
        "store",
        format!("-----BEGIN CERTIFICATE-----\n{store}\n-----END CERTIFICATE-----\n"),
    );
    place.write("base64", &pem);
    place.write(
        "utf16",
        utf16(
            &String::from_utf8_lossy(other!("ec.ssh.pub")),
            true,
            u16::to_le_bytes,
        ),
    );
    place.write("rsa.pub", RSA);
    let rsa = thumbprint(&place, "--key", "rsa.pub");
    for (file, first, next, second, last, expected) in [
        (
            "ssh2",
            "ssh-keygen -i",
            "ssh2.pub",
            "ssh-keygen -e",
            "ssh2.pub.pem",
            &expected,
        ),
        (
            "store",
            "grep -v",
            "store.p12",
            "openssl pkcs12",
            "store.p12.pem",
            &rsa,
        ),
        (
            "base64",
            "base64 -d",
            "base64.der",
            "openssl pkcs7",
            "base64.der.pem",
            &rsa,
        ),
        (
            "utf16",
            "iconv ",
            "utf16.txt",
            "ssh-keygen -e",
            "utf16.txt.pem",
            &expected,
        ),
    ] {
        let message = keys(&place, "--key", file).expect_err("no key");
        if follow(&place, &message, first) {
            let message = keys(&place, "--key", next).expect_err("no key");
            if follow(&place, &message, second) {
                assert_eq!(thumbprint(&place, "--key", last), *expected, "{file}");
            }
        }
    }
    place.write("key.xml", other!("key.xml"));
    let message = keys(&place, "--key", "key.xml").expect_err("no key");
    for word in [
        "RSAKeyValue",
        "kty \"RSA\"",
        "Modulus as n",
        "Exponent as e",
    ] {
        assert!(message.contains(word), "{message}");
    }
    let xml = String::from_utf8_lossy(other!("key.xml")).into_owned();
    let modulus = xml
        .split("Modulus>")
        .nth(1)
        .expect("a modulus")
        .trim_end_matches("</");
    place.write(
        "key.json",
        json!({"kty": "RSA", "n": modulus, "e": "AQAB"}).to_string(),
    );
    assert_eq!(thumbprint(&place, "--key", "key.json"), rsa);
}

#[test]
fn what_is_a_part_of_a_key_file_says_what_is_missing() {
    let place = Place::new();
    for (name, key) in [
        ("ssh-rsa", &other!("rsa.ssh.pub")[..]),
        ("ecdsa-sha2-nistp256", other!("ec.ssh.pub")),
        ("ssh-ed25519", other!("ed.ssh.pub")),
    ] {
        let line = String::from_utf8_lossy(key);
        let base64 = line.split(' ').nth(1).expect("base64");
        place.write("base64", base64);
        let error = keys(&place, "--key", "base64").expect_err("no type");
        let step = format!(
            "a public key of OpenSSH without its type; write a line of its type, a \
                            space and its base64: {name} AAAA…"
        );
        assert!(error.contains(&step), "{error}");
        place.write("line", format!("{name} {base64}"));
        let error = keys(&place, "--key", "line").expect_err("another form");
        assert!(error.contains("line.pem"), "{error}");
    }
    for curve in ["BggqhkjOPQMBBw==", "BgUrgQQAIg=="] {
        let pem = format!("-----BEGIN EC PARAMETERS-----\n{curve}\n-----END EC PARAMETERS-----\n");
        place.write("parameters", pem);
        let error = keys(&place, "--key", "parameters").expect_err("no key");
        assert!(error.contains("EC PARAMETERS) and no key"), "{error}");
    }
}

#[test]
fn files_that_only_say_where_keys_are_are_named_with_the_next_step() {
    let place = Place::new();
    place.write("keys.json", json!({"keys": [jwk(Some("a"))]}).to_string());
    let url = format!("file://{}", place.path("keys.json").display());
    place.write(
        "discovery",
        json!({"issuer": "x", "jwks_uri": url}).to_string(),
    );
    let message = keys(&place, "--jwks", "discovery").expect_err("no key");
    assert!(message.contains("a discovery document"), "{message}");
    if follow(&place, &message, "curl ") {
        thumbprint(&place, "--jwks", "discovery.jwks.json");
    }
    place.write(
        "client",
        json!({"jwks": {"keys": [jwk(Some("a"))]}}).to_string(),
    );
    let message = keys(&place, "--jwks", "client").expect_err("no key");
    if follow(&place, &message, "jq ") {
        thumbprint(&place, "--jwks", "client.json");
    }
    let realm = json!({"realm": "r", "public_key": STANDARD.encode(der(RSA))});
    place.write("realm", realm.to_string());
    let message = keys(&place, "--jwks", "realm").expect_err("no key");
    assert!(message.contains("Keycloak"), "{message}");
    if follow(&place, &message, "jq ") {
        thumbprint(&place, "--jwks", "realm.txt");
    }
    let token = good();
    for (content, says) in [
        (
            "https://idp.example.com/keys",
            "a URL, and jotmill fetches nothing",
        ),
        ("<!DOCTYPE html><title>Sign in</title>", "an HTML page"),
        ("\n <html lang=\"en\">", "an HTML page"),
        ("<?xml version=\"1.0\"?><a/>", "XML; give its key"),
        (
            "HTTP/1.1 200 OK\r\n\r\n{}",
            "an HTTP answer with its header",
        ),
        (&token, "a token, and no key"),
        ("", "the file is empty"),
        ("\u{feff}\n", "the file is empty"),
        ("\u{1f}\u{8b}", "neither PEM"),
        ("PuTTY-User-Key-File-3: ssh-rsa", "PuTTY"),
        ("ssh-dss AAAAB3NzaC1kc3M= me", "no JWS algorithm uses"),
        (
            r#"{"type":"service_account","private_key":"-----BEGIN PRIVATE KEY-----"}"#,
            "service account",
        ),
        (
            r#"{"jwks_uri":"https://user:password@idp.example.com/"}"#,
            "no plain URL",
        ),
        ("keys", "--secret-file"),
    ] {
        place.write("file", content);
        for flag in ["--key", "--jwks"] {
            let message = keys(&place, flag, "file").expect_err("no key");
            assert!(message.contains(says), "{content}: {message}");
            assert!(
                !message.contains("password") && !message.contains(&token),
                "{message}"
            );
        }
    }
    for (content, says) in [
        (&b"\x1f\x8b\x08\0"[..], "gunzip -c < file > file.txt"),
        (b"PK\x03\x04", "unzip file"),
        (
            b"\xfe\xed\xfe\xed\0",
            "keytool -exportcert -rfc -alias ALIAS -keystore file",
        ),
        (
            b"0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02",
            "openssl pkcs7 -print_certs -inform DER",
        ),
        (b"0\x80\x02\x01\x03", "openssl pkcs12"),
        (b"\0\x01\x02", "neither PEM"),
    ] {
        place.write("file", content);
        let message = keys(&place, "--key", "file").expect_err("no key");
        assert!(message.contains(says), "{message}");
    }
    for url in [
        "https://idp.example.com/jwks",
        "http://idp.example.com/a?b=c&d",
    ] {
        for flag in ["--key", "--jwks"] {
            let output = place.run(&["audit", "--now", NOW, flag, url, "secret"]);
            let command = format!("curl -fsSL -o keys.json '{url}'");
            assert_cannot(&output, &["a URL was given", &command]);
        }
    }
}

/// Runs with this on standard input.
pub(crate) fn piped(place: &Place, args: &[&str], input: &str) -> std::process::Output {
    let mut command = place.command(args);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("jotmill runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may have ended with an error before.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

#[test]
fn a_dash_is_standard_input_once_in_a_run() {
    let place = Place::new();
    place.write("log", good());
    let secret =
        json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(crate::program::SECRET)}).to_string();
    for (args, input) in [
        (&["--jwks", "-"][..], &*secret),
        (&["--key", "-"], &secret),
        (&["--secret-file", "-"], crate::program::SECRET),
        (&["--secret-file", "raw:-"], crate::program::SECRET),
    ] {
        let output = piped(
            &place,
            &[&["audit", "--now", NOW, "log"], args].concat(),
            input,
        );
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        // The tokens are read from there.
        let audit = [&["audit", "--now", NOW], args].concat();
        let inspect = [&["inspect", "--now", NOW], args].concat();
        for command in [&audit, &[&audit[..], &["-"]].concat(), &inspect] {
            let output = piped(&place, command, input);
            assert_cannot(&output, &["standard input can be read only once"]);
        }
        let twice = [&["audit", "--now", NOW, "log", "--key", "-"], args].concat();
        let output = piped(&place, &twice, input);
        assert_cannot(&output, &["standard input can be read only once"]);
    }
    let print = [&AUDIT[..], &["--print-policy", "--key", "-"]].concat();
    assert_cannot(&piped(&place, &print, ED), &["cannot name standard input"]);
    let output = piped(
        &place,
        &["keys", "--key", "-"],
        "ssh-rsa AAAAB3NzaC1yc2E= me",
    );
    assert_cannot(&output, &["ssh-keygen -e -m pkcs8 -f /dev/stdin > key.pem"]);
}

/// A file that is named `-` in a policy file is a file.
#[test]
fn a_policy_file_takes_the_same_forms_and_no_standard_input() {
    let place = Place::new();
    place.write("-", ED.replace('\n', "\\n"));
    place.write("log", good());
    for name in ["jwks", "key"] {
        let policy = format!("[[issuer]]\niss = \"https://auth.example.com/\"\n{name} = \"-\"\n");
        place.write("policy.toml", policy);
        let output = place.run(&["audit", "--now", NOW, "--policy", "policy.toml", "log"]);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
    }
    assert!(Path::new(&place.path("-")).is_file());
}

/// The report and `inspect` name it, and no token becomes valid by it.
#[test]
fn another_reading_of_a_secret_is_told_and_never_used() {
    let place = Place::new();
    let bytes = "a secret of thirty-two bytes, ok";
    let log: String = (0..50).map(|_| good() + "\n").collect();
    place.write("log", log);
    place.write("token", good());
    let base64 = STANDARD.encode(bytes);
    for (file, encoding, reading, advice) in [
        (
            base64.clone().into_bytes(),
            "",
            "as `base64:` it verifies",
            "--secret-file base64:given",
        ),
        (format!("{base64}\n").into(), "hex:", "", ""),
        (
            format!("{bytes}\n").into(),
            "",
            "without its final newline it verifies",
            "tr -d '\\r\\n' < given",
        ),
        (
            format!("\"{bytes}\"").into(),
            "",
            "without its quotes it verifies",
            "tr -d",
        ),
        (
            utf16(bytes, true, u16::to_le_bytes),
            "",
            "as UTF-8 instead of UTF-16 it verifies",
            "iconv ",
        ),
        (
            bytes
                .bytes()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                .into(),
            "base64:",
            "as `hex:` it verifies",
            "--secret-file hex:given",
        ),
    ] {
        place.write("given", file);
        let secret = format!("{encoding}given");
        let audit = |threads: &str, format: &str| {
            let args = ["audit", "--now", NOW, "--secret-file", &secret, "log"];
            place.run(
                &[
                    &args[..],
                    &[
                        "--threads",
                        threads,
                        "--block-bytes",
                        "200",
                        "--format",
                        format,
                    ],
                ]
                .concat(),
            )
        };
        let output = audit("1", "text");
        if reading.is_empty() {
            assert_cannot(&output, &["not hexadecimal"]);
            continue;
        }
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        let text: Vec<String> = stdout(&output)
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        let text = text.join(" ");
        let says = format!("secret-1 verified nothing; {reading} 40 of 40 tokens: ");
        assert!(text.contains(&says) && text.contains(advice), "{text}");
        let of = |threads: &str| {
            let report: Value =
                serde_json::from_str(&stdout(&audit(threads, "json"))).expect("JSON");
            report["other_readings"].clone()
        };
        let told = of("1");
        assert_eq!(
            (&told[0]["verifies"], &told[0]["tokens"]),
            (&json!(40), &json!(40))
        );
        assert_eq!(told, of("3"), "the same for any number of threads");
        let token = place.read("token");
        let args = [
            "inspect",
            "--now",
            NOW,
            "--secret-file",
            &secret,
            token.trim(),
        ];
        let page = stdout(&place.run(&args));
        assert!(page.contains("secret-1 does not verify it; "), "{page}");
    }
    // What verifies needs no other reading.
    let report: Value =
        serde_json::from_str(&stdout(&place.audit(&["log", "--format", "json"]))).expect("JSON");
    assert!(report.get("other_readings").is_none());
}

#[test]
fn an_input_that_is_no_lines_of_tokens_is_named() {
    let place = Place::new();
    let token = good();
    for (content, says) in [
        (
            br#"{"log": {"entries": []}}"#.to_vec(),
            "an HTTP archive (HAR)",
        ),
        (b"[\n\"a.b\",\n\"c.d\"\n]".to_vec(), "JSON"),
        (
            format!("{token}\r{token}\r").into(),
            "lines end with CR alone",
        ),
    ] {
        place.write("log", content);
        let output = place.audit(&["--input", "tokens", "log"]);
        assert_cannot(&output, &["log: no line is a token", says]);
    }
    // One header was read: these are lines of tokens.
    place.write("log", format!("{{\"log\": 1}}\n{token}\n"));
    assert_eq!(code(&place.audit(&["--input", "tokens", "log"])), 1);
}
