//! The names that keys have in rows and reports.

use std::collections::HashMap;

use crate::display::shown;
use crate::key::thumbprint::thumbprint;
use crate::signature::VerifyingKey;

/// The names of a set's keys, each of them unique.
#[derive(Clone, Default)]
pub(super) struct Names {
    /// Every name, with the last number that was tried as its suffix.
    taken: HashMap<String, usize>,
    secrets: usize,
    anchors: usize,
}

impl Names {
    /// A new name, for a key with this id; see [`Key::name`](super::Key::name).
    pub(super) fn assign(&mut self, id: Option<&str>, key: &VerifyingKey) -> String {
        // An empty id would be no name in a row.
        match (id.filter(|id| !id.is_empty()), key) {
            (Some(id), _) => self.unique(id),
            (None, VerifyingKey::Public(public)) => self.unique(&thumbprint(public.material())),
            (None, VerifyingKey::Mac(_)) => self.numbered_secret(),
        }
    }

    /// A new name for an anchor.
    pub(super) fn numbered_anchor(&mut self) -> String {
        loop {
            self.anchors += 1;
            let name = format!("anchor-{}", self.anchors);
            if self.take(&name) {
                return name;
            }
        }
    }

    fn numbered_secret(&mut self) -> String {
        loop {
            self.secrets += 1;
            let name = format!("secret-{}", self.secrets);
            if self.take(&name) {
                return name;
            }
        }
    }

    fn unique(&mut self, base: &str) -> String {
        let base = shown(base);
        if self.take(&base) {
            return base.into_owned();
        }
        let mut number = self.taken.get(&*base).copied().unwrap_or(1);
        let name = loop {
            number += 1;
            let name = format!("{base}#{number}");
            if self.take(&name) {
                break name;
            }
        };
        // Without this, a thousand keys with one id would need half a million tries.
        self.taken.insert(base.into_owned(), number);
        name
    }

    /// Makes the name of a removed key available.
    pub(super) fn release(&mut self, name: &str) {
        self.taken.remove(name);
    }

    /// Takes a name, unless it is taken.
    fn take(&mut self, name: &str) -> bool {
        let is_free = !self.taken.contains_key(name);
        if is_free {
            self.taken.insert(name.to_owned(), 1);
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_keys_of_one_id_are_named_at_once() {
        let mut names = Names::default();
        let last = (0..100_000).map(|_| names.unique("a")).last();
        assert_eq!(last.as_deref(), Some("a#100000"));
    }
}
