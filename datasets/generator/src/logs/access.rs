//! Access logs of web servers, proxies and load balancers: a request a line.

use super::entry::{Entry, Request};
use super::format::Layout;
use super::piece::{Escape, Piece};
use super::place::Place;

/// The combined format, with `$http_authorization` and `$http_cookie` behind it.
pub(super) const NGINX: Layout = Layout {
    record: nginx,
    ..combined("nginx", "nginx.log")
};
/// The combined format, with `%{Authorization}i` and `%{Cookie}i` behind it, two hours east.
pub(super) const APACHE: Layout = Layout {
    record: apache,
    ..combined("apache", "apache.log")
};
/// The default format, with the authorization behind it.
pub(super) const ENVOY: Layout = Layout {
    record: envoy,
    places: &[Place::Header, Place::Query, Place::UrlEncoded, Place::Glued],
    ..combined("envoy", "envoy.log")
};
/// An application load balancer: entries of version 2, with ASCII alone.
pub(super) const ALB: Layout = Layout {
    record: alb,
    places: &[
        Place::Query,
        Place::UrlEncoded,
        Place::Glued,
        Place::Fragment,
    ],
    has_credentials: false,
    ..combined("alb", "alb.log")
};
/// The W3C extended format, separated by tabs, with two lines in front.
pub(super) const CLOUDFRONT: Layout = Layout {
    head: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) \
           cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) \
           x-edge-request-id\n",
    record: cloudfront,
    places: &[
        Place::Query,
        Place::UrlEncoded,
        Place::Cookie,
        Place::Fragment,
    ],
    has_credentials: false,
    ..combined("cloudfront", "cloudfront.log")
};

const fn combined(name: &'static str, file: &'static str) -> Layout {
    Layout {
        name,
        file,
        places: Request::PLACES,
        has_credentials: true,
        is_cut_by_lines: true,
        is_ascii: true,
        head: "",
        record: nginx,
        tail: "",
    }
}

fn nginx(page: &mut Piece, entry: &mut Entry) -> u32 {
    let request = Request::draw(entry);
    common(page, entry, &request, 0);
    page.add(" \"").push(&request.authorization, Escape::Hex);
    page.add("\" \"").push(&request.cookie, Escape::Hex);
    page.add("\"\n");
    0
}

fn apache(page: &mut Piece, entry: &mut Entry) -> u32 {
    let request = Request::draw(entry);
    common(page, entry, &request, 120);
    page.add(" \"").push(&request.cookie, Escape::Hex);
    page.add("\" \"").push(&request.authorization, Escape::Hex);
    page.add(format!("\" {}\n", 1_000 * request.millis));
    0
}

/// The combined format.
fn common(page: &mut Piece, entry: &Entry, request: &Request, zone: i64) {
    let Request { client, method, .. } = request;
    let time = entry.at.common_log(zone);
    page.add(format!("{client} - - [{time}] \"{method} "))
        .push(&request.target, Escape::Hex)
        .add(format!(
            " HTTP/1.1\" {} {} \"",
            request.status, request.bytes
        ))
        .push(&request.referer, Escape::Hex)
        .add("\" \"")
        .push(&request.agent, Escape::Hex)
        .add("\"");
}

fn envoy(page: &mut Piece, entry: &mut Entry) -> u32 {
    let request = Request::draw(entry);
    let Request { method, status, .. } = request;
    let time = entry.at.rfc3339(0, 3);
    page.add(format!("[{time}] \"{method} "))
        .push(&request.target, Escape::Hex)
        .add(format!(
            " HTTP/2\" {status} - 154 {} {} {} \"{}\" \"",
            request.bytes, request.millis, request.millis, request.client
        ))
        .push(&request.agent, Escape::Hex)
        .add(format!(
            "\" \"{}\" \"orders.internal\" \"192.0.2.8:8080\" \"",
            request.id
        ))
        .push(&request.authorization, Escape::Hex)
        .add("\"\n");
    3
}

fn alb(page: &mut Piece, entry: &mut Entry) -> u32 {
    let request = Request::draw(entry);
    let Request { client, method, .. } = &request;
    let time = entry.at.rfc3339(0, 6);
    page.add(format!(
        "h2 {time} app/shop/50dc6c495c0c9188 {client}:46532 192.0.2.8:80 0.001 0.{:03} 0.000 {} {} \
         34 {} \"{method} https://shop.example.com:443",
        request.millis, request.status, request.status, request.bytes
    ));
    page.push(&request.target, Escape::Hex)
        .add(" HTTP/2.0\" \"")
        .push(&request.agent, Escape::Hex)
        .add(format!(
            "\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 \"Root=1-{}\" \"shop.example.com\" \"-\" 1 \
             {time} \"redirect\" \"",
            request.id
        ))
        .push(&request.referer, Escape::Hex)
        .add("\" \"-\"\n");
    6
}

fn cloudfront(page: &mut Piece, entry: &mut Entry) -> u32 {
    let request = Request::draw(entry);
    let Request { client, method, .. } = &request;
    let (date, clock) = (entry.at.date(0, '-'), entry.at.clock(0, '.', 0));
    let text = &request.target.text;
    let question = text.iter().position(|byte| *byte == b'?');
    let stem = Piece::plain(
        text.get(..question.unwrap_or(text.len()))
            .unwrap_or_default(),
    );
    page.add(format!(
        "{date}\t{clock}\tFRA56-P4\t{}\t{client}\t{method}\td111111abcdef8.cloudfront.example\t",
        request.bytes
    ));
    page.push(&stem, Escape::None)
        .add(format!("\t{}\t", request.status))
        .push(&request.referer, Escape::None)
        .add("\tMozilla/5.0%20(X11;%20Linux%20x86_64)\t");
    match question {
        Some(question) => page.push(&request.target.since(question + 1), Escape::None),
        None => page.add("-"),
    };
    page.add("\t").push(&request.cookie, Escape::Space);
    page.add(format!("\t{}\n", request.id));
    0
}
