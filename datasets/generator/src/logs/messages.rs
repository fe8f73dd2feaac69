//! Messages of applications: their own logs, syslog, and an export to CSV.

use super::entry::{Entry, MESSAGE_PLACES, message};
use super::format::Layout;
use super::piece::{Escape, Piece};

/// The defaults of several languages, as a container's output mixes them.
pub(super) const APPLICATION: Layout = Layout {
    name: "application",
    file: "application.log",
    places: MESSAGE_PLACES,
    has_credentials: true,
    is_cut_by_lines: true,
    is_ascii: false,
    head: "",
    record: application,
    tail: "",
};
/// RFC 3164 and RFC 5424.
pub(super) const SYSLOG: Layout = Layout {
    name: "syslog",
    file: "syslog.log",
    record: syslog,
    ..APPLICATION
};
/// RFC 4180, with line breaks in fields. Its times are Unix milliseconds.
pub(super) const CSV: Layout = Layout {
    name: "csv",
    file: "export.csv",
    is_cut_by_lines: false,
    head: "timestamp,level,request_id,client,message,ttl\r\n",
    record: csv,
    ..APPLICATION
};

fn application(page: &mut Piece, entry: &mut Entry) -> u32 {
    let message = message(entry);
    let at = entry.at;
    let (style, level) = (
        entry.rng.below(5),
        entry.rng.pick(&["INFO", "WARN", "ERROR"]),
    );
    let (start, digits) = match style {
        0 => {
            let time = format!("{} {}", at.date(0, '-'), at.clock(0, ',', 3));
            (format!("{time} {level} [main] com.example.shop.Gate - "), 3)
        }
        1 => {
            let time = format!("{} {}", at.date(0, '-'), at.clock(0, ',', 3));
            (format!("{time} - shop.gate - {level} - "), 3)
        }
        2 => {
            let time = format!("{} {}", at.date(0, '/'), at.clock(0, '.', 0));
            (format!("{time} gate.go:71: "), 0)
        }
        3 => {
            let time = at.rfc3339(0, 3);
            (format!("{time}  {level} 1 --- [main] c.e.shop.Gate : "), 3)
        }
        _ => {
            let time = at.rfc3339(120, 6);
            (format!("time={time} level={level} msg="), 6)
        }
    };
    page.add(start).push(&message, Escape::None).add("\n");
    digits
}

fn syslog(page: &mut Piece, entry: &mut Entry) -> u32 {
    let message = message(entry);
    let process = 100 + entry.rng.below(30_000);
    let (start, digits) = match entry.rng.below(3) {
        0 => (
            format!("{} web-07 gate[{process}]: ", entry.at.bsd_syslog()),
            0,
        ),
        1 => (
            format!("<134>{} web-07 gate[{process}]: ", entry.at.bsd_syslog()),
            0,
        ),
        _ => {
            let time = entry.at.rfc3339(0, 6);
            (
                format!("<165>1 {time} web-07.example.com gate {process} ID47 - "),
                6,
            )
        }
    };
    page.add(start).push(&message, Escape::None).add("\n");
    digits
}

fn csv(page: &mut Piece, entry: &mut Entry) -> u32 {
    let message = message(entry);
    let (client, id) = (entry.client(), entry.uuid());
    let before = entry
        .rng
        .pick(&["", "", "first line, \"quoted\"\r\n", "a\n\nb\n"]);
    page.add(format!("{},INFO,{id},{client},\"", entry.at.unix(3)))
        .push(&Piece::plain(before), Escape::Csv)
        .push(&message, Escape::Csv)
        .add("\",30\r\n");
    3
}
