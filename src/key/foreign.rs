//! Files that hold no key that can be read, though people have them for one.
//!
//! Owns how they are recognized, and the command or the step that makes a key file of each. None of
//! them is ever used.

use super::fault::Fault;
use crate::redact::redacted;

const NO_FORM: &str = "neither PEM, DER nor a JWK Set; a public key in PEM begins with \
                       -----BEGIN PUBLIC KEY-----, and a shared secret is given with --secret-file";

/// What a text is that has no form of keys.
pub(super) fn text(text: &[u8]) -> Fault {
    let text = String::from_utf8_lossy(text.trim_ascii());
    if text.is_empty() {
        return Fault::new(format!("the file is empty: {NO_FORM}"));
    }
    if text.starts_with('<') {
        return markup(&text);
    }
    if let Some(key_type) = openssh_type(&text) {
        return openssh(key_type);
    }
    if text.starts_with("---- BEGIN SSH2 PUBLIC KEY") {
        let why = "a public key of SSH (RFC 4716), to be converted to the form of OpenSSH and then to \
                   PEM";
        return Fault::new(why).with_key_command("ssh-keygen -i -f FILE > FILE.pub");
    }
    if text.starts_with("PuTTY-User-Key-File-") {
        let why = "a private key of PuTTY, to be converted to the form of OpenSSH and then to PEM";
        return Fault::new(why).with_key_command("puttygen FILE -O public-openssh -o FILE.pub");
    }
    if text.starts_with("http://") || text.starts_with("https://") {
        return Fault::new(
            "a URL, and jotmill fetches nothing; fetch the keys themselves (curl -fsSL -o keys.json \
             URL)",
        );
    }
    if text.starts_with("HTTP/") {
        return Fault::new("an HTTP answer with its header; save its body alone (curl without -i)");
    }
    if !text.contains(char::is_whitespace) && *text != *redacted(&text) {
        return Fault::new("a token, and no key; tokens are given to audit as inputs");
    }
    Fault::new(NO_FORM)
}

/// XML or HTML.
fn markup(text: &str) -> Fault {
    let start: String = text.chars().take(1024).collect();
    let start = start.to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.contains("<html") {
        Fault::new(
            "an HTML page, such as servers answer with for a wrong or a protected address; see what \
             it says, and fetch the keys themselves",
        )
    } else if text.contains("X509Certificate>") {
        let why = "XML with certificates, such as SAML metadata; take them out";
        let command = "tr -d '[:space:]' < FILE | grep -o 'X509Certificate>[A-Za-z0-9+/=]*' | \
                       awk -F '>' -v d=----- '$2 { print d \"BEGIN CERTIFICATE\" d; print $2; \
                       print d \"END CERTIFICATE\" d }' > FILE.pem";
        Fault::new(why).with_command(command)
    } else if text.contains("RSAKeyValue") {
        Fault::new(
            "a key in XML (RSAKeyValue), as .NET writes it; write a JWK with kty \"RSA\", with its \
             Modulus as n and its Exponent as e, which are taken in base64 as they are",
        )
    } else {
        Fault::new("XML; give its key as PEM or as a JWK")
    }
}

/// The type of a key of OpenSSH: `TYPE BASE64`, maybe with options or hosts in front.
fn openssh_type(text: &str) -> Option<&str> {
    let is_type = |word: &str| {
        let beginnings = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];
        beginnings.iter().any(|begin| word.starts_with(begin))
    };
    let is_comment = |line: &&str| line.is_empty() || line.starts_with('#');
    let first = text.lines().map(str::trim).find(|line| !is_comment(line))?;
    let mut words = first.split_ascii_whitespace().peekable();
    while let Some(word) = words.next() {
        // The length of the type's name, in base64.
        if is_type(word) && words.peek().is_some_and(|next| next.starts_with("AAAA")) {
            return Some(word);
        }
    }
    None
}

fn openssh(key_type: &str) -> Fault {
    match key_type {
        // `ssh-keygen -e` does not write these. The prefix is that of the DER of each (RFC 8410).
        "ssh-ed25519" => {
            let command = "(printf MCowBQYDK2VwAyEA; cut -d ' ' -f 2 FILE | base64 -d | tail -c 32 | \
                           base64) > FILE.pem";
            Fault::new("a public key of OpenSSH").with_key_command(command)
        }
        "ssh-rsa" | "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => {
            let command = "ssh-keygen -e -m pkcs8 -f FILE > FILE.pem";
            Fault::new("a public key of OpenSSH").with_key_command(command)
        }
        _ => Fault::other_type("a public key of OpenSSH, of a type that no JWS algorithm uses"),
    }
}

/// A private key of OpenSSH, by what is inside its PEM block.
pub(super) fn openssh_private(content: &[u8]) -> Fault {
    let why = "a private key of OpenSSH";
    let is_of = |name: &[u8]| memchr::memmem::find(content, name).is_some();
    Fault::new(why).with_key_command(if is_of(b"ssh-ed25519") {
        "(printf MCowBQYDK2VwAyEA; ssh-keygen -y -f FILE | cut -d ' ' -f 2 | base64 -d | tail -c 32 | \
         base64) > FILE.pem"
    } else {
        "ssh-keygen -e -m pkcs8 -f FILE > FILE.pem"
    })
}

/// What a file is that is neither text nor DER.
pub(super) fn binary(file: &[u8]) -> Option<Fault> {
    Some(match file {
        [0xfe, 0xed, 0xfe, 0xed, ..] | [0xce, 0xce, 0xce, 0xce, ..] => Fault::new(
            "a key store of Java; list its aliases (keytool -list), and take out the certificate of \
             ALIAS",
        )
        .with_command("keytool -exportcert -rfc -alias ALIAS -keystore FILE -file FILE.pem"),
        [0x1f, 0x8b, ..] => Fault::new("compressed").with_command("gunzip -c < FILE > FILE.txt"),
        [b'P', b'K', 3, 4, ..] => {
            Fault::new("a ZIP archive").with_command("unzip FILE")
        }
        [0, 0, 0, len, name @ ..] if name.starts_with(b"ssh-") || name.starts_with(b"ecdsa-") => {
            let name = name.get(..usize::from(*len)).unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            match openssh(&name) {
                fault if fault.is_other_type => fault,
                _ => Fault::new(format!(
                    "a public key of OpenSSH without its type; write a line of its type, a space and \
                     its base64: {name} AAAA…"
                )),
            }
        }
        _ => return None,
    })
}
