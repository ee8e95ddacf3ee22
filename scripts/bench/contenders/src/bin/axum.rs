//! A contender: an idiomatic axum server that answers with the bytes and fields it is given, and has
//! event streams.
//!
//!   axum HEALTH PAGE       two files: field lines, an empty line, the body
//!
//! It prints its address. `POST /publish/<row>` sends one event to every tab of `GET /events`.
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use futures_util::StreamExt;
use std::convert::Infallible;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;

#[derive(Clone)]
struct App {
    health: (HeaderMap, Bytes),
    page: (HeaderMap, Bytes),
    events: broadcast::Sender<u64>,
}

#[tokio::main]
async fn main() {
    let mut files = std::env::args().skip(1).map(|file| answer(&file));
    let mut next = || files.next().expect("two files are named");
    let app = App { health: next(), page: next(), events: broadcast::channel(64).0 };
    let routes = Router::new()
        .route("/healthz", get(|State(app): State<App>| async move { app.health }))
        .route("/page", get(|State(app): State<App>| async move { app.page }))
        .route("/events", get(events))
        .route("/publish/{row}", post(publish))
        .with_state(app);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be listened on");
    println!("{}", listener.local_addr().expect("it has an address"));
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, routes).await.expect("it serves for ever");
}

async fn events(State(app): State<App>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let rows = BroadcastStream::new(app.events.subscribe()).filter_map(async |row| row.ok());
    let hello = tokio_stream::once(Event::default().event("hello").data("{}"));
    let events = rows.map(|row| {
        let data = format!("{{\"peer\":\"peer-0.example\",\"rowId\":{row}}}");
        Event::default().event("thread-updated").data(data)
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Sse::new(hello.chain(events).map(Ok)).keep_alive(alive)
}

async fn publish(State(app): State<App>, Path(row): Path<u64>) -> StatusCode {
    // Nobody may be listening.
    let _ = app.events.send(row);
    StatusCode::NO_CONTENT
}

fn answer(file: &str) -> (HeaderMap, Bytes) {
    let text = std::fs::read_to_string(file).expect("the file can be read");
    let (head, body) = text.split_once("\n\n").expect("an empty line ends the fields");
    let fields = head.lines().map(|line| {
        let (name, value) = line.split_once(": ").expect("a field has a name");
        let name = HeaderName::try_from(name).expect("it is a name");
        (name, HeaderValue::try_from(value).expect("it is a value"))
    });
    (fields.collect(), Bytes::from(body.to_owned()))
}
