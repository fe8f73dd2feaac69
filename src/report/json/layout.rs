//! How the JSON of a report is laid out in lines, and which characters are escaped.
//!
//! The members and their values are left to the parent module.

use std::io::{self, Write};

use serde_json::ser::Formatter;

use crate::display::is_deceptive;

/// Writes each member of the report and each entry of a member on a line of its own, for readers,
/// `grep` and `diff`.
#[derive(Default)]
pub(super) struct Layout {
    depth: usize,
    is_empty: bool,
}

impl Layout {
    /// Values down to this depth have lines of their own.
    const LINES: usize = 2;

    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        out.write_all(bracket)
    }

    fn next<W: ?Sized + Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        if self.depth <= Self::LINES {
            out.write_all(if is_first { b"\n" } else { b",\n" })?;
            return self.indent(out);
        }
        out.write_all(if is_first { b"" } else { b", " })
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !std::mem::take(&mut self.is_empty) && self.depth < Self::LINES {
            out.write_all(b"\n")?;
            self.indent(out)?;
        }
        out.write_all(bracket)
    }

    fn indent<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }

    /// Escapes what JSON allows and a terminal should not see. All of these characters are in the
    /// basic multilingual plane, so that one escape each is enough.
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((position, c)) = rest.char_indices().find(|(_, c)| is_deceptive(*c)) {
            out.write_all(&rest.as_bytes()[..position])?;
            write!(out, "\\u{:04x}", u32::from(c))?;
            rest = &rest[position + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}
