#!/usr/bin/env python3
"""The verdicts of joserfc, and of OpenSSL by way of cryptography, over a data set of jotmill.

    cargo run --manifest-path tests/peers/Cargo.toml -- FOLDER
    python3 tests/peers/peers.py FOLDER

joserfc judges whole tokens. OpenSSL is asked about signatures alone: whether one holds where the
ground truth says so, for every algorithm and every form of key. What differs must be in
DIVERGENCES.md, else the exit code is 1.
"""

import base64
import collections
import json
import pathlib
import sys

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import (
    ec, ed448, ed25519, mldsa, padding, rsa, utils,
)
from joserfc import jwk, jws
from joserfc.errors import JoseError
from joserfc.jwt import JWTClaimsRegistry

# The stages behind the signature: there it holds, although the token is rejected.
BEHIND_SIGNATURE = ("payload-", "exp-", "nbf-", "iat-", "iss-", "sub-", "aud-", "jti-", "missing-",
                    "expired", "not-yet-valid", "issued-in-future", "issuer-", "subject-",
                    "audience-", "too-old", "lifetime-")
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1", "ES256K": "secp256k1"}
MLDSA = {"ML-DSA-44": mldsa.MLDSA44PublicKey, "ML-DSA-65": mldsa.MLDSA65PublicKey,
         "ML-DSA-87": mldsa.MLDSA87PublicKey}
JOSERFC_ALGORITHMS = [name for name in jws.JWSRegistry.algorithms if name != "none"]


def decode(text):
    if isinstance(text, str):
        text = text.encode()
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def number(text):
    return int.from_bytes(decode(text), "big")


def load_file(content):
    """A key of cryptography, of a file in any form."""
    if content.startswith(b"-----"):
        if b"CERTIFICATE" in content:
            return x509.load_pem_x509_certificate(content).public_key()
        return serialization.load_pem_public_key(content)
    try:
        return serialization.load_der_public_key(content)
    except ValueError:
        return x509.load_der_x509_certificate(content).public_key()


def load_jwk(key):
    """A key of cryptography, or the bytes of a secret."""
    kty, crv = key.get("kty"), key.get("crv")
    if "x5c" in key:
        return x509.load_der_x509_certificate(base64.b64decode(key["x5c"][0])).public_key()
    if kty == "oct":
        # Whether a secret may be empty is not for OpenSSL to say.
        return decode(key["k"]) or None
    if kty == "RSA":
        return rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key()
    if kty == "EC":
        curve = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1,
                 "secp256k1": ec.SECP256K1}[crv]()
        return ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), curve).public_key()
    if kty == "OKP":
        kind = {"Ed25519": ed25519.Ed25519PublicKey, "Ed448": ed448.Ed448PublicKey}[crv]
        return kind.from_public_bytes(decode(key["x"]))
    kind = MLDSA[key["alg"]]
    return kind.from_public_bytes(decode(key["pub"]))


def fits(key, alg):
    """Whether the key is of the type that the algorithm takes."""
    if isinstance(key, bytes):
        return alg.startswith("HS")
    if isinstance(key, rsa.RSAPublicKey):
        return alg[:2] in ("RS", "PS")
    if isinstance(key, ec.EllipticCurvePublicKey):
        return CURVES.get(alg) == key.curve.name
    if isinstance(key, ed25519.Ed25519PublicKey):
        return alg in ("EdDSA", "Ed25519")
    if isinstance(key, ed448.Ed448PublicKey):
        return alg in ("EdDSA", "Ed448")
    return alg in MLDSA and isinstance(key, MLDSA[alg])


def holds(key, alg, message, signature):
    """Whether OpenSSL says that this is a signature of the message."""
    try:
        if alg.startswith("HS"):
            mac = hmac.HMAC(key, HASHES[alg[2:]])
            mac.update(message)
            mac.verify(signature)
        elif alg.startswith("RS"):
            key.verify(signature, message, padding.PKCS1v15(), HASHES[alg[2:]])
        elif alg.startswith("PS"):
            hash_ = HASHES[alg[2:]]
            pss = padding.PSS(padding.MGF1(hash_), hash_.digest_size)
            key.verify(signature, message, pss, hash_)
        elif alg.startswith("ES"):
            # OpenSSL takes DER; JWS has r and s, each as long as the curve's field.
            half = (key.curve.key_size + 7) // 8
            if len(signature) != 2 * half:
                return False
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            der = utils.encode_dss_signature(r, s)
            key.verify(der, message, ec.ECDSA(HASHES["256" if alg == "ES256K" else alg[2:]]))
        else:
            key.verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Judge:
    """The keys of a data set, as cryptography and as joserfc take them."""

    def __init__(self, folder):
        self.flags = json.loads((folder / "flags.json").read_text())
        self.keys = []
        for member in json.loads((folder / "keys.json").read_text())["keys"]:
            self.add(member.get("kid"), lambda: load_jwk(member), lambda: self.joserfc_jwk(member))
        for name in self.flags["key_files"]:
            content = (folder / name).read_bytes()
            self.add(None, lambda: load_file(content), lambda: self.joserfc_key(load_file(content)))
        required = set(self.flags["require"])
        options = {name: {"essential": True} for name in required}
        options["iss"] = {"essential": True, "values": self.flags["issuers"]}
        options["aud"] = {"essential": True, "values": self.flags["audiences"]}
        self.registry = JWTClaimsRegistry(now=self.flags["now"], leeway=0, **options)

    def joserfc_jwk(self, member):
        # What only a certificate says is left to whoever uses the library.
        if "x5c" in member:
            return self.joserfc_key(load_jwk(member))
        return jwk.import_key(member)

    def joserfc_key(self, key):
        pem = key.public_bytes(serialization.Encoding.PEM,
                               serialization.PublicFormat.SubjectPublicKeyInfo)
        kind = {rsa.RSAPublicKey: "RSA", ec.EllipticCurvePublicKey: "EC"}
        kty = next((kty for type_, kty in kind.items() if isinstance(key, type_)), "OKP")
        return jwk.import_key(pem, kty)

    def add(self, kid, *loads):
        loaded = []
        for load in loads:
            try:
                loaded.append(load())
            except Exception:  # What a library raises for a bad key is its own affair.
                loaded.append(None)
        self.keys.append((kid, *loaded))

    def candidates(self, header):
        """A kid selects the keys of that id, else those without one; no kid selects all."""
        kid = header.get("kid")
        if kid is None:
            return self.keys
        named = [key for key in self.keys if key[0] == kid]
        return named or [key for key in self.keys if key[0] is None]

    def openssl(self, token, header):
        """Whether the signature holds; None where there is no key of the algorithm's type."""
        alg = header.get("alg")
        if not isinstance(alg, str):
            return None
        keys = [key for _, key, _ in self.candidates(header) if key is not None and fits(key, alg)]
        if not keys:
            return None
        message, _, signature = token.rpartition(b".")
        return any(holds(key, alg, message, decode(signature)) for key in keys)

    def joserfc(self, token, header):
        """None where it accepts the token, else why not."""
        why = "no key"
        for _, raw, key in self.candidates(header):
            if key is None:
                continue
            try:
                found = jws.deserialize_compact(token, key, algorithms=JOSERFC_ALGORITHMS)
                claims = json.loads(found.payload)
                if not isinstance(claims, dict):
                    return "payload"
                self.registry.validate(claims)
                return None
            except JoseError as error:
                if why == "no key" or type(error).__name__ != "BadSignatureError":
                    why = type(error).__name__
                if type(error).__name__ in ("ExpiredTokenError", "InvalidClaimError",
                                            "MissingClaimError"):
                    return why
            except Exception as error:  # Not what its documentation says it raises.
                why = type(error).__name__
        return why


def header_of(token):
    try:
        header = json.loads(decode(token.split(b".")[0]))
        return header if isinstance(header, dict) else {}
    except Exception:
        return {}


def listed():
    rows = set()
    text = (pathlib.Path(__file__).parent / "DIVERGENCES.md").read_text()
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) > 4:
            rows.add((cells[1], cells[2].strip("`"), cells[3]))
    return rows


def main(folder):
    folder = pathlib.Path(folder)
    judge = Judge(folder)
    seen = collections.defaultdict(lambda: [0, b""])
    agreed, not_judged = collections.Counter(), collections.Counter()

    def compare(peer, truth, outcome, token, agrees):
        if agrees:
            agreed[peer] += 1
        else:
            seen[peer, truth, outcome][0] += 1
            seen[peer, truth, outcome][1] = token

    tokens = (folder / "tokens.txt").read_bytes().split(b"\n")
    truths = (folder / "truth.ndjson").read_text().splitlines()
    for token, truth in zip(tokens, truths):
        truth = json.loads(truth)
        code = (truth.get("reasons") or ["valid"])[0]
        header = header_of(token)
        behind = code == "valid" or code.startswith(BEHIND_SIGNATURE)
        if behind or code in ("signature-mismatch", "signature-length"):
            holds_ = judge.openssl(token, header)
            if holds_ is None:
                not_judged["OpenSSL", "no key that it reads"] += 1
            else:
                outcome = "holds" if holds_ else "does not hold"
                compare("OpenSSL", code, outcome, token, holds_ == behind)
        if header.get("alg") not in JOSERFC_ALGORITHMS and code == "valid":
            not_judged["joserfc", "an algorithm that it does not have"] += 1
            continue
        why = judge.joserfc(token, header)
        if why == "no key" and code == "valid":
            not_judged["joserfc", "no key that it reads"] += 1
            continue
        outcome = "accepts" if why is None else f"rejects: {why}"
        compare("joserfc", code, outcome, token, (why is None) == (code == "valid"))

    for peer, count in agreed.items():
        print(f"{peer}: {count} verdicts agree")
    for (peer, why), count in not_judged.items():
        print(f"{peer}: {count} not judged: {why}")
    known, good = listed(), True
    for (peer, truth, outcome), (count, token) in sorted(seen.items()):
        is_known = (peer, truth, outcome) in known
        good &= is_known
        print(f"| {peer} | `{truth}` | {outcome} | {count} {'' if is_known else 'NOT LISTED'}")
        if not is_known:
            print("   ", token.decode(errors="replace"))
    for peer, truth, outcome in sorted(known):
        if peer in ("joserfc", "OpenSSL") and (peer, truth, outcome) not in seen:
            print(f"no longer seen: {peer} `{truth}` {outcome}")
    return 0 if good else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
