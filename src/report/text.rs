//! text
#[derive(Clone, Copy, Debug, Default)]
/// x
pub struct TextOptions {
    /// c
    pub color: bool,
}
impl super::Report<'_> {
    /// t
    pub fn write_text(
        &self,
        out: &mut dyn std::io::Write,
        _o: &TextOptions,
    ) -> std::io::Result<()> {
        writeln!(out, "{:#?}", self.tally.tokens)
    }
    /// t
    pub fn write_json(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        writeln!(out, "{{}}")
    }
}
