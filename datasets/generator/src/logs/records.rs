//! JSON Lines: an access log and the audit log of Kubernetes.

use super::entry::{Entry, Request, message};
use super::format::Layout;
use super::messages;
use super::piece::{Escape, Piece};
use super::place::Place;

/// An access log, its time first or last.
pub(super) const JSON: Layout = Layout {
    name: "json",
    file: "access.ndjson",
    is_cut_by_lines: false,
    record: json,
    ..messages::APPLICATION
};
/// Events of `audit.k8s.io/v1`.
pub(super) const K8S_AUDIT: Layout = Layout {
    name: "k8s-audit",
    file: "k8s-audit.ndjson",
    places: &[
        Place::Query,
        Place::UrlEncoded,
        Place::Glued,
        Place::Json,
        Place::JsonEscaped,
        Place::Bare,
    ],
    has_credentials: false,
    record: k8s_audit,
    ..JSON
};

/// How text is written in a JSON string here. The escapes of [`Place::JsonEscaped`] are those of
/// that string, and not of one inside it.
pub(super) fn escape(entry: &mut Entry) -> Escape {
    if entry.place == Place::JsonEscaped {
        // Chosen once for the record, and its token is the only one.
        entry.place = Place::Json;
        Escape::JsonDots
    } else if entry.rng.percent(20) {
        Escape::JsonSlash
    } else {
        Escape::Json
    }
}

fn json(page: &mut Piece, entry: &mut Entry) -> u32 {
    let time = format!("\"time\":\"{}\"", entry.at.rfc3339(120, 3));
    let escape = escape(entry);
    // What a request has no place for is in the message.
    let is_request = Request::PLACES.contains(&entry.place);
    let message = match is_request {
        true => Piece::plain("served"),
        false => message(entry),
    };
    let request = Request::draw(entry);
    let is_last = entry.rng.percent(50);
    page.add("{");
    if !is_last {
        page.add(&time).add(",");
    }
    page.add(format!(
        "\"client\":\"{}\",\"method\":\"{}\",\"target\":\"",
        request.client, request.method
    ));
    page.push(&request.target, escape)
        .add(format!(
            "\",\"status\":{},\"bytes\":{},\"headers\":{{\"referer\":\"",
            request.status, request.bytes
        ))
        .push(&request.referer, escape)
        .add("\",\"user-agent\":[\"")
        .push(&request.agent, escape)
        .add("\"],\"cookie\":\"")
        .push(&request.cookie, escape)
        .add("\",\"authorization\":\"")
        .push(&request.authorization, escape)
        .add(format!("\"}},\"id\":\"{}\",\"message\":\"", request.id))
        .push(&message, escape)
        .add("\"");
    if is_last {
        page.add(",").add(&time);
    }
    page.add("}\n");
    3
}

fn k8s_audit(page: &mut Piece, entry: &mut Entry) -> u32 {
    let escape = escape(entry);
    let body = match (&entry.subject, entry.place) {
        (Some(subject), Place::Json | Place::Bare) => {
            Some(entry.place.around(&subject.clone(), entry.rng))
        }
        _ => None,
    };
    let request = Request::draw(entry);
    page.add(format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"RequestResponse\",\
         \"auditID\":\"{}\",\"stage\":\"ResponseComplete\",\"requestURI\":\"",
        request.id
    ));
    page.push(&request.target, escape)
        .add(format!(
            "\",\"verb\":\"create\",\"user\":{{\"username\":\"system:serviceaccount:shop:gate\",\
             \"groups\":[\"system:serviceaccounts\"]}},\"sourceIPs\":[\"{}\"],\"userAgent\":\"",
            request.client
        ))
        .push(&request.agent, escape)
        .add(format!(
            "\",\"objectRef\":{{\"resource\":\"tokenreviews\"}},\
             \"responseStatus\":{{\"metadata\":{{}},\"code\":{}}},",
            request.status
        ));
    if let Some(body) = body {
        page.add("\"requestObject\":{\"kind\":\"TokenReview\",\"spec\":{\"token\":\"")
            .push(&body, escape)
            .add("\"}},");
    }
    // Both are of the same moment, so that it is the same whichever is read.
    let time = entry.at.rfc3339(0, 6);
    page.add(format!(
        "\"requestReceivedTimestamp\":\"{time}\",\"stageTimestamp\":\"{time}\",\
         \"annotations\":{{\"authorization.k8s.io/decision\":\"allow\"}}}}\n"
    ));
    6
}
