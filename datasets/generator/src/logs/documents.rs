//! Whole JSON documents: logs of OpenTelemetry, and an HTTP archive.

use super::entry::{Entry, Request, message};
use super::format::Layout;
use super::messages;
use super::piece::Piece;
use super::place::Place;
use super::records::escape;

/// An `ExportLogsServiceRequest` as JSON, a record a line. Its times are Unix nanoseconds.
pub(super) const OTLP: Layout = Layout {
    name: "otlp",
    file: "otlp.json",
    is_cut_by_lines: false,
    head: "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\
           \"value\":{\"stringValue\":\"gate\"}}]},\"scopeLogs\":[{\"scope\":{\"name\":\
           \"com.example.gate\"},\"logRecords\":[\n",
    record: otlp,
    tail: "\n]}]}]}\n",
    ..messages::APPLICATION
};
/// HAR 1.2, as browsers write it.
pub(super) const HAR: Layout = Layout {
    name: "har",
    file: "browser.har",
    head: "{\"log\":{\"version\":\"1.2\",\"creator\":{\"name\":\"browser\",\"version\":\"131.0\"},\
           \"pages\":[],\"entries\":[",
    record: har,
    tail: "]}}\n",
    ..OTLP
};

fn otlp(page: &mut Piece, entry: &mut Entry) -> u32 {
    let escape = escape(entry);
    let message = message(entry);
    let (time, client, id) = (entry.at.unix(9), entry.client(), entry.uuid());
    page.add(if entry.number == 0 { "" } else { ",\n" })
        .add(format!(
            "{{\"timeUnixNano\":\"{time}\",\"observedTimeUnixNano\":\"{time}\",\
             \"severityNumber\":9,\"severityText\":\"INFO\",\"body\":{{\"stringValue\":\""
        ))
        .push(&message, escape)
        .add(format!(
            "\"}},\"attributes\":[{{\"key\":\"client.address\",\"value\":{{\"stringValue\":\
             \"{client}\"}}}}],\"traceId\":\"{}\"}}",
            id.replace('-', "")
        ));
    9
}

fn har(page: &mut Piece, entry: &mut Entry) -> u32 {
    let escape = escape(entry);
    let place = match entry.place {
        Place::Header => "request/headers/1/value",
        Place::Cookie => "request/headers/2/value",
        Place::Query | Place::UrlEncoded => "request/url",
        Place::Bare => "request/queryString/0/value",
        Place::Fragment => "response/redirectURL",
        Place::Glued => "request/headers/0/value",
        Place::Quoted | Place::Sentence => "_webSocketMessages/0/data",
        Place::Json | Place::JsonEscaped | Place::Xml => "response/content/text",
    };
    entry.pointer = Some(format!("/log/entries/{}/{place}", entry.number));
    let empty = Piece::default;
    let (mut parameter, mut content, mut frame) =
        (Piece::plain("2"), empty(), Piece::plain("ping"));
    match entry.place {
        Place::Bare => parameter = message(entry),
        Place::Quoted | Place::Sentence => frame = message(entry),
        Place::Json | Place::Xml => content = message(entry),
        _ => {}
    }
    let request = Request::draw(entry);
    let (is_pretty, time) = ((entry.number / 2).is_multiple_of(2), entry.at.rfc3339(0, 3));
    let (space, end) = if is_pretty {
        (" ", "\n      ")
    } else {
        ("", "")
    };
    page.add(if entry.number == 0 { "\n" } else { ",\n" });
    page.add(format!(
        "{{{end}\"startedDateTime\":{space}\"{time}\",{end}\"time\":{space}{}.25,{end}\
         \"request\":{space}{{\"method\":\"{}\",\"url\":{space}\"https://shop.example.com",
        request.millis, request.method
    ));
    page.push(&request.target, escape)
        .add(format!(
            "\",{end}\"httpVersion\":\"HTTP/2\",\"headers\":[{end}{{\"name\":\"user-agent\",\
             \"value\":{space}\""
        ))
        .push(&request.agent, escape)
        .add(format!(
            "\"}},{end}{{\"name\":\"authorization\",\"value\":{space}\""
        ))
        .push(&request.authorization, escape)
        .add(format!(
            "\"}},{end}{{\"name\":\"cookie\",\"value\":{space}\""
        ))
        .push(&request.cookie, escape)
        .add(format!(
            "\"}}],{end}\"queryString\":[{{\"name\":\"v\",\"value\":{space}\""
        ))
        .push(&parameter, escape)
        .add(format!(
            "\"}}],{end}\"cookies\":[],\"headersSize\":-1,\"bodySize\":0}},{end}\"response\":\
             {{\"status\":{},\"statusText\":\"\",\"httpVersion\":\"HTTP/2\",\"headers\":[],\
             \"cookies\":[],{end}\"content\":{{\"size\":{},\"mimeType\":\"text/plain\",\
             \"text\":{space}\"",
            request.status, request.bytes
        ))
        .push(&content, escape)
        .add(format!("\"}},{end}\"redirectURL\":{space}\""))
        .push(&request.referer, escape)
        .add(format!(
            "\",\"headersSize\":-1,\"bodySize\":-1}},{end}\"cache\":{{}},\"timings\":{{\"send\":0,\
             \"wait\":1,\"receive\":0}},{end}\"_webSocketMessages\":[{{\"type\":\"receive\",\
             \"time\":{},\"opcode\":1,\"data\":{space}\"",
            entry.at.unix(0)
        ))
        .push(&frame, escape)
        .add(format!("\"}}]{}}}", end.trim_end_matches(' ')));
    3
}
