//! Writing a JSON object member by member.
//!
//! Owns the commas and quotes. A member's value is raw JSON text, so that a defect can put
//! anything there.

/// A member that can be spoiled before it is written. Its buffers are reused.
#[derive(Default)]
pub(super) struct Member {
    /// The name as JSON text, without the quotes.
    pub(super) name: Vec<u8>,
    /// The value as JSON text.
    pub(super) value: Vec<u8>,
    /// Whether it is written at all.
    pub(super) present: bool,
}

impl Member {
    /// Makes the member anew, with an empty value to be filled in.
    pub(super) fn reset(&mut self, name: &str, present: bool) {
        self.name.clear();
        self.name.extend_from_slice(name.as_bytes());
        self.value.clear();
        self.present = present;
    }

    /// Replaces the value, and makes the member present.
    pub(super) fn set(&mut self, value: &[u8]) {
        self.value.clear();
        self.value.extend_from_slice(value);
        self.present = true;
    }

    /// Replaces the value by a string of characters that need no escape.
    pub(super) fn set_plain(&mut self, text: &str) {
        self.set(b"\"");
        self.value.extend_from_slice(text.as_bytes());
        self.value.push(b'"');
    }
}

/// A JSON object while it is written. It is closed by [`Object::close`].
pub(super) struct Object<'a> {
    pub(super) out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Object<'a> {
    /// Opens an object.
    pub(super) fn open(out: &'a mut Vec<u8>) -> Object<'a> {
        out.push(b'{');
        Object {
            start: out.len(),
            out,
        }
    }

    /// How many bytes the object has so far.
    pub(super) fn len(&self) -> usize {
        self.out.len().saturating_sub(self.start) + 1
    }

    fn comma(&mut self) {
        if self.out.len() > self.start {
            self.out.push(b',');
        }
    }

    /// Writes a member if it is present.
    pub(super) fn member(&mut self, member: &Member) {
        self.member_with(member, b"\":");
    }

    /// The same, with these bytes from the name's closing quote to the value.
    pub(super) fn member_with(&mut self, member: &Member, colon: &[u8]) {
        if member.present {
            self.comma();
            self.out.push(b'"');
            self.out.extend_from_slice(&member.name);
            self.out.extend_from_slice(colon);
            self.out.extend_from_slice(&member.value);
        }
    }

    /// Writes members that are JSON text already.
    pub(super) fn raw(&mut self, members: &str) {
        self.comma();
        self.out.extend_from_slice(members.as_bytes());
    }

    /// Writes a member with a string value that `value` writes, of characters that need no escape.
    pub(super) fn text(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.key(name);
        self.out.push(b'"');
        value(self.out);
        self.out.push(b'"');
    }

    /// Writes a member up to its colon.
    pub(super) fn key(&mut self, name: &str) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    /// Writes `extra`, members that each have a comma in front, and closes the object.
    pub(super) fn close(self, extra: &[u8]) {
        let extra = if self.out.len() > self.start {
            extra
        } else {
            extra.get(1..).unwrap_or(b"")
        };
        self.out.extend_from_slice(extra);
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_between_members_only() {
        let mut out = b"x".to_vec();
        let mut member = Member::default();
        member.reset("a", true);
        member.set_plain("b");
        let mut object = Object::open(&mut out);
        object.member(&member);
        member.present = false;
        object.member(&member);
        object.text("c", |out| out.push(b'd'));
        object.raw(r#""e":1"#);
        assert_eq!(object.len(), 16 + 6);
        object.close(br#","f":2"#);
        assert_eq!(out, br#"x{"a":"b","c":"d","e":1,"f":2}"#);

        out.clear();
        Object::open(&mut out).close(br#","f":2"#);
        assert_eq!(out, br#"{"f":2}"#);
    }
}
