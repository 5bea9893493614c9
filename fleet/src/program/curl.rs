//! `curl`.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Invocation, Program};
use crate::web::{self, Page, Request, Unfetched, Url};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "curl",
    run: curl,
}];

/// What was asked for.
#[derive(Debug, Default)]
struct Wishes {
    is_silent: bool,
    shows_errors: bool,
    fails: bool,
    is_insecure: bool,
    only_head: bool,
    shows_head: bool,
    output: Option<String>,
    keeps_name: bool,
    write_out: Option<String>,
    method: Option<String>,
    headers: Vec<String>,
    data: Option<Data>,
    connect_timeout: Option<Duration>,
    max_time: Option<Duration>,
    retries: u32,
    socket: Option<String>,
    user: Option<String>,
    urls: Vec<String>,
}

#[derive(Debug, Clone)]
enum Data {
    Bytes(Vec<u8>),
    File(String),
}

/// What follows a complaint about a command line.
const TRY: &str = "curl: try 'curl --help' or 'curl --manual' for more information\n";

/// Whether it is an option of the real one. All letters are; of the long ones those that are met.
fn is_real(option: &str) -> bool {
    const REAL: [&str; 24] = [
        "cacert",
        "cert",
        "cookie",
        "cookie-jar",
        "create-dirs",
        "data-urlencode",
        "fail-early",
        "fail-with-body",
        "form",
        "get",
        "http1.1",
        "http2",
        "interface",
        "ipv4",
        "ipv6",
        "key",
        "limit-rate",
        "noproxy",
        "parallel",
        "progress-bar",
        "proxy",
        "resolve",
        "retry-all-errors",
        "retry-max-time",
    ];
    let long = option
        .strip_prefix("--")
        .map(|long| long.split(' ').next().unwrap_or(long));
    long.is_none_or(|long| REAL.contains(&long) || option.contains(' '))
}

/// Why a transfer failed: curl's status and words.
struct Failure {
    status: u8,
    said: String,
}

fn curl(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("curl")).await;
        let wishes = match parse(&invocation.arguments) {
            Ok(wishes) => wishes,
            Err(option) if is_real(&option) => {
                return invocation.not_simulated(&format!("option {option}"));
            }
            Err(option) => {
                invocation.complain(&format!("curl: option {option}: is unknown\n{TRY}"));
                return 2;
            }
        };
        if wishes.urls.is_empty() {
            invocation.complain(&format!("curl: no URL specified!\n{TRY}"));
            return 2;
        }
        let mut status = 0;
        for url in wishes.urls.clone() {
            status = one(invocation, &wishes, &url).await;
        }
        status
    })
}

fn parse(arguments: &[String]) -> Result<Wishes, String> {
    let mut wishes = Wishes::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            long_option(&mut wishes, long, &mut words)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            let mut letters = letters.chars();
            while let Some(letter) = letters.next() {
                let rest: String = letters.clone().collect();
                if short_option(&mut wishes, letter, &rest, &mut words)? {
                    break;
                }
            }
        } else {
            wishes.urls.push(word.clone());
        }
    }
    Ok(wishes)
}

type Words<'a> = std::slice::Iter<'a, String>;

/// Returns whether the rest of the word was the value.
fn short_option(
    wishes: &mut Wishes,
    letter: char,
    rest: &str,
    words: &mut Words<'_>,
) -> Result<bool, String> {
    let takes_value = "omwXHduA".contains(letter);
    let mut value = || {
        let own = (!rest.is_empty()).then(|| rest.to_owned());
        own.or_else(|| words.next().cloned()).unwrap_or_default()
    };
    let name = match letter {
        's' => "silent",
        'S' => "show-error",
        'f' => "fail",
        'k' => "insecure",
        'L' => "location",
        'I' => "head",
        'i' => "include",
        'O' => "remote-name",
        'g' => "globoff",
        'o' => "output",
        'm' => "max-time",
        'w' => "write-out",
        'X' => "request",
        'H' => "header",
        'd' => "data",
        'u' => "user",
        'A' => "user-agent",
        other => return Err(format!("-{other}")),
    };
    let value = if takes_value { value() } else { String::new() };
    set(wishes, name, value)?;
    Ok(takes_value)
}

fn long_option(wishes: &mut Wishes, long: &str, words: &mut Words<'_>) -> Result<(), String> {
    const WITH_VALUE: [&str; 14] = [
        "output",
        "max-time",
        "write-out",
        "request",
        "header",
        "data",
        "user",
        "user-agent",
        "connect-timeout",
        "retry",
        "unix-socket",
        "data-binary",
        "retry-delay",
        "data-raw",
    ];
    let value = if WITH_VALUE.contains(&long) {
        words.next().cloned().unwrap_or_default()
    } else {
        String::new()
    };
    set(wishes, long, value)
}

fn set(wishes: &mut Wishes, name: &str, value: String) -> Result<(), String> {
    let seconds = |text: &str| {
        let seconds = text.parse::<f64>();
        seconds
            .map(Duration::from_secs_f64)
            .map_err(|_error| format!("--{name} {text}"))
    };
    match name {
        "silent" => wishes.is_silent = true,
        "show-error" => wishes.shows_errors = true,
        "fail" => wishes.fails = true,
        "insecure" => wishes.is_insecure = true,
        "head" => wishes.only_head = true,
        "include" => wishes.shows_head = true,
        "location" | "globoff" | "compressed" | "retry-connrefused" | "user-agent"
        | "retry-delay" | "no-progress-meter" => {}
        "remote-name" => wishes.keeps_name = true,
        "output" => wishes.output = Some(value),
        "max-time" => wishes.max_time = Some(seconds(&value)?),
        "connect-timeout" => wishes.connect_timeout = Some(seconds(&value)?),
        "write-out" => wishes.write_out = Some(value),
        "request" => wishes.method = Some(value),
        "header" => wishes.headers.push(value),
        "user" => wishes.user = Some(value),
        "retry" => wishes.retries = value.parse().unwrap_or(0),
        "unix-socket" => wishes.socket = Some(value),
        "data" | "data-binary" | "data-raw" => {
            wishes.data = Some(match value.strip_prefix('@') {
                Some(path) if name != "data-raw" => Data::File(path.to_owned()),
                _ => Data::Bytes(value.into_bytes()),
            });
        }
        other => return Err(format!("--{other}")),
    }
    Ok(())
}

async fn one(invocation: &mut Invocation, wishes: &Wishes, url: &str) -> u8 {
    let body = match &wishes.data {
        None => Vec::new(),
        Some(Data::Bytes(bytes)) => bytes.clone(),
        Some(Data::File(path)) if path == "-" => invocation.read_input().await,
        Some(Data::File(path)) => match invocation.read_file(path) {
            Ok(bytes) => bytes,
            Err(_) => {
                invocation.complain(
                    "curl: option --data-binary: error encountered when reading a file\ncurl: try \
                     'curl --help' or 'curl --manual' for more information\n",
                );
                return 26;
            }
        },
    };
    let mut tries = 0;
    let page = loop {
        let found = transfer(invocation, wishes, url, &body).await;
        let again = match &found {
            Err(failure) => [7, 28].contains(&failure.status),
            Ok(page) => page.status >= 500,
        };
        if !again || tries >= wishes.retries {
            break found;
        }
        invocation
            .sleep(Duration::from_secs(1 << tries.min(6)))
            .await;
        tries += 1;
    };
    match page {
        Ok(page) => deliver(invocation, wishes, url, page).await,
        Err(failure) => {
            let status = failure.status;
            if !wishes.is_silent || wishes.shows_errors {
                let said = failure.said;
                invocation.complain(&format!("curl: ({status}) {said}\n"));
            }
            write_out(invocation, wishes, 0, None, url);
            status
        }
    }
}

async fn transfer(
    invocation: &mut Invocation,
    wishes: &Wishes,
    url: &str,
    body: &[u8],
) -> Result<Page, Failure> {
    if url.starts_with("file://") {
        return from_file(invocation, url);
    }
    let Some(parsed) = Url::parse(url) else {
        return Err(Failure {
            status: 3,
            said: "URL using bad/illegal format or missing URL".to_owned(),
        });
    };
    if !["http", "https"].contains(&parsed.scheme.as_str()) {
        let scheme = &parsed.scheme;
        return Err(Failure {
            status: 1,
            said: format!("Protocol \"{scheme}\" not supported or disabled in libcurl"),
        });
    }
    let authorization = wishes.headers.iter().find_map(|header| {
        let (name, value) = header.split_once(':')?;
        name.eq_ignore_ascii_case("authorization")
            .then(|| value.trim().to_owned())
    });
    let basic = wishes.user.as_ref().map(|user| {
        use base64::Engine as _;
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(user))
    });
    let authorization = authorization.or(basic);
    let implied = match (wishes.only_head, &wishes.data) {
        (true, _) => "HEAD",
        (false, Some(_)) => "POST",
        (false, None) => "GET",
    };
    let request = Request {
        method: wishes.method.as_deref().unwrap_or(implied),
        authorization: authorization.as_deref(),
        body,
    };
    if let Some(socket) = &wishes.socket {
        return through_socket(invocation, wishes, socket, &parsed, &request).await;
    }
    let found = web::fetch(&invocation.fleet, invocation.host, &parsed, &request).await;
    match found {
        Err(why) => Err(failure(invocation, wishes, &parsed, why).await),
        Ok(page) if !page.is_trusted && !wishes.is_insecure => Err(Failure {
            status: 60,
            said: "SSL certificate problem: unable to get local issuer certificate\nMore details \
                   here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify the \
                   legitimacy of the server and therefore could not\nestablish a secure \
                   connection to it. To learn more about this situation and\nhow to fix it, \
                   please visit the web page mentioned above."
                .to_owned(),
        }),
        Ok(page) => {
            let seconds = page.body.len() as f64 / page.bandwidth.max(1) as f64;
            let time = web::ROUND_TRIP + Duration::from_secs_f64(seconds);
            invocation.sleep(time).await;
            Ok(page)
        }
    }
}

fn from_file(invocation: &Invocation, url: &str) -> Result<Page, Failure> {
    let path = url.trim_start_matches("file://");
    match invocation.read_file(path) {
        Ok(body) => Ok(Page {
            status: 0,
            body,
            bandwidth: 500 << 20,
            is_trusted: true,
        }),
        Err(_) => Err(Failure {
            status: 37,
            said: format!("Couldn't open file {path}"),
        }),
    }
}

async fn through_socket(
    invocation: &mut Invocation,
    wishes: &Wishes,
    socket: &str,
    url: &Url,
    request: &Request<'_>,
) -> Result<Page, Failure> {
    let limit = wishes.max_time.unwrap_or(Duration::from_secs(300));
    let (fleet, host) = (invocation.fleet.clone(), invocation.host);
    let who = invocation.credentials.clone();
    let asked = crate::engine::ask(&fleet, host, &who, socket, url, request);
    match tokio::time::timeout(limit, asked).await {
        Err(_) => Err(Failure {
            status: 28,
            said: format!(
                "Operation timed out after {} milliseconds",
                limit.as_millis()
            ),
        }),
        Ok(None) => Err(Failure {
            status: 7,
            said: "Couldn't connect to server".to_owned(),
        }),
        Ok(Some(page)) => Ok(page),
    }
}

async fn failure(
    invocation: &mut Invocation,
    wishes: &Wishes,
    url: &Url,
    why: Unfetched,
) -> Failure {
    let (host, port) = (&url.host, url.port);
    match why {
        Unfetched::NoName => Failure {
            status: 6,
            said: format!("Could not resolve host: {host}"),
        },
        Unfetched::Refused | Unfetched::NoRoute => Failure {
            status: 7,
            said: format!(
                "Failed to connect to {host} port {port} after 0 ms: Couldn't connect to server"
            ),
        },
        Unfetched::Silent => {
            let limits = [wishes.connect_timeout, wishes.max_time];
            let limit = limits.into_iter().flatten().min();
            let limit = limit.unwrap_or(Duration::from_secs(130));
            invocation.sleep(limit).await;
            let time = limit.as_millis();
            // Which limit it is that was reached.
            let said = match wishes.max_time == Some(limit) {
                true => format!("Connection timed out after {time} milliseconds"),
                false => {
                    format!(
                        "Failed to connect to {host} port {port} after {time} ms: Timeout was reached"
                    )
                }
            };
            Failure { status: 28, said }
        }
        Unfetched::Garbled => Failure {
            status: 35,
            said: "OpenSSL/3.0.20: error:0A00010B:SSL routines::wrong version number".to_owned(),
        },
    }
}

async fn deliver(invocation: &mut Invocation, wishes: &Wishes, url: &str, page: Page) -> u8 {
    let size = page.body.len();
    if wishes.fails && page.status >= 400 {
        if !wishes.is_silent || wishes.shows_errors {
            let status = page.status;
            invocation.complain(&format!(
                "curl: (22) The requested URL returned error: {status}\n"
            ));
        }
        write_out(invocation, wishes, page.status, Some(&page), url);
        return 22;
    }
    let mut bytes = Vec::new();
    if wishes.only_head || wishes.shows_head {
        bytes = format!(
            "HTTP/1.1 {} {}\r\nContent-Length: {size}\r\n\r\n",
            page.status,
            reason(page.status)
        )
        .into_bytes();
    }
    if !wishes.only_head {
        bytes.extend_from_slice(&page.body);
    }
    let name = wishes.output.clone().or_else(|| {
        let last = url.rsplit('/').next().map(str::to_owned);
        wishes.keeps_name.then_some(last).flatten()
    });
    match name.as_deref() {
        None | Some("-") => invocation.print_bytes(&bytes),
        Some(path) => {
            if let Err(errno) = invocation.write_file(path, bytes) {
                invocation.complain(&format!(
                    "Warning: Failed to open the file {path}: {errno}\ncurl: (23) Failure writing \
                     output to destination\n"
                ));
                return 23;
            }
        }
    }
    write_out(invocation, wishes, page.status, Some(&page), url);
    0
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "",
    }
}

/// Prints what `-w` asks for.
fn write_out(
    invocation: &mut Invocation,
    wishes: &Wishes,
    status: u16,
    page: Option<&Page>,
    url: &str,
) {
    let size = page.map_or(0, |page| page.body.len());
    let Some(format) = &wishes.write_out else {
        return;
    };
    let text = format
        .replace("\\n", "\n")
        .replace("\\t", "\t")
        .replace("%{http_code}", &format!("{status:03}"))
        .replace("%{response_code}", &format!("{status:03}"))
        .replace(
            "%{content_type}",
            page.map_or("", |_| "application/octet-stream"),
        )
        .replace("%{size_download}", &size.to_string())
        .replace("%{url_effective}", url)
        .replace("%{time_total}", "0.010000");
    if text.contains("%{") {
        invocation.not_simulated("a variable of --write-out");
    }
    invocation.print(&text);
}
