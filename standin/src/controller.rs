//! What the API of a controller answers.
//!
//! A request is answered at once or with one question in between, which the adapter puts to its
//! engine: [`Controller::begin`], then [`Controller::finish`].

use serde_json::{Value, json};

use crate::bundle::{self, Owner};
use crate::command::Seed;
use crate::engine::{Action, Identity, Refusal, Swarm};
use crate::http::{Answer, Body, Request};
use crate::password::{derive, hex, is_equal, mac};
use crate::state::ClusterState;

/// What a controller serves.
#[derive(Debug, Clone)]
pub struct Site {
    /// The state of the cluster.
    pub state: ClusterState,
    /// The certificate to serve with.
    pub server: Identity,
    /// The CA of that certificate.
    pub ca: String,
}

/// The API of one manager.
#[derive(Debug)]
pub struct Controller {
    site: Site,
    seed: Seed,
    sessions: u64,
}

/// How a request goes on.
#[derive(Debug)]
pub enum Handling {
    /// This is the answer.
    Answer(Answer),
    /// Something has to be known first.
    Ask(Question),
}

/// What has to be known for an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The node's membership: [`Told::Swarm`].
    Health,
    /// What the engine answers to a GET of this path: [`Told::Engine`].
    Engine(String),
    /// A certificate for the user, who has reached the controller under this name or address:
    /// [`Told::Identity`].
    Certificate(Option<String>),
}

/// What the adapter has found out.
#[derive(Debug, Clone)]
pub enum Told {
    /// The node's membership.
    Swarm(Swarm),
    /// An answer of the engine, passed on as it is.
    Engine {
        /// Its status.
        status: u16,
        /// Its body.
        body: Vec<u8>,
    },
    /// A certificate.
    Identity(Identity),
    /// Nothing.
    Refused(Refusal),
}

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Ping,
    Ca,
    Login,
    Bundle,
    Engine,
}

/// The paths, the methods that they have, and whether everybody may use them.
const ROUTES: &[(&str, &str, Access, Route)] = &[
    ("/_ping", "GET, HEAD", Access::Public, Route::Ping),
    ("/ca", "GET, HEAD", Access::Public, Route::Ca),
    ("/auth/login", "POST", Access::Public, Route::Login),
    (
        "/api/clientbundle",
        "GET, POST",
        Access::Users,
        Route::Bundle,
    ),
    ("/nodes", "GET", Access::Users, Route::Engine),
    ("/services", "GET", Access::Users, Route::Engine),
    ("/tasks", "GET", Access::Users, Route::Engine),
    ("/info", "GET", Access::Users, Route::Engine),
    ("/version", "GET", Access::Users, Route::Engine),
    ("/containers/json", "GET", Access::Users, Route::Engine),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Public,
    Users,
}

impl Controller {
    /// Makes the API of a site; the seed makes sessions unpredictable.
    pub fn new(site: Site, seed: Seed) -> Self {
        Self {
            site,
            seed,
            sessions: 0,
        }
    }

    /// Takes a request.
    pub fn begin(&mut self, request: &Request) -> Handling {
        let route = ROUTES.iter().find(|(path, ..)| *path == request.path);
        let is_public = route.is_some_and(|(_, _, access, _)| *access == Access::Public);
        if !is_public && !self.knows(request) {
            let answer = Answer::error(401, "UNAUTHORIZED", "authentication is required");
            return Handling::Answer(answer);
        }
        let Some((path, methods, _, route)) = route else {
            return Handling::Answer(Answer::text(404, "404 page not found\n"));
        };
        if !methods.split(", ").any(|method| method == request.method) {
            let mut answer = Answer::text(405, "method not allowed\n");
            answer.allow = Some(methods);
            return Handling::Answer(answer);
        }
        match route {
            Route::Ping => Handling::Ask(Question::Health),
            Route::Ca => Handling::Answer(Answer::text(200, self.site.ca.as_str())),
            Route::Login => Handling::Answer(self.log_in(&request.body)),
            Route::Bundle => Handling::Ask(Question::Certificate(request.host.clone())),
            Route::Engine => {
                let query = request.query.iter().map(|query| format!("?{query}"));
                let path = std::iter::once((*path).to_owned()).chain(query).collect();
                Handling::Ask(Question::Engine(path))
            }
        }
    }

    /// Answers, with what the adapter has found out.
    pub fn finish(&self, question: &Question, told: Told) -> Answer {
        match (question, told) {
            (Question::Health, Told::Swarm(swarm)) => health(&swarm),
            (Question::Health, Told::Refused(refusal)) => {
                Answer::text(500, format!("the engine does not answer: {refusal}\n"))
            }
            (Question::Engine(_), Told::Engine { status, body }) => {
                Answer::with(status, Body::Json(body))
            }
            (Question::Certificate(host), Told::Identity(identity)) => {
                self.bundle(host.as_deref(), &identity)
            }
            (_, Told::Refused(refusal)) => Answer::error(503, "UNAVAILABLE", &refusal.to_string()),
            (_, told) => Answer::error(500, "INTERNAL", &format!("not what was asked: {told:?}")),
        }
    }

    /// Returns what makes the certificate of a user.
    pub fn user_certificate(&self) -> Action {
        Action::Issue {
            authority: self.site.state.authority.clone(),
            common_name: self.site.state.username.clone(),
            names: Vec::new(),
        }
    }

    fn log_in(&mut self, body: &[u8]) -> Answer {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Answer::error(400, "INVALID_JSON", "the body is not JSON");
        };
        let (username, password) = (body["username"].as_str(), body["password"].as_str());
        let state = &self.site.state;
        let is_admin = username == Some(&state.username)
            && password.is_some_and(|password| state.password.fits(password));
        if !is_admin {
            return Answer::error(401, "UNAUTHORIZED", "invalid username or password");
        }
        self.sessions += 1;
        let nonce = hex(&derive(self.seed, &format!("session {}", self.sessions))[..16]);
        let token = format!("{nonce}.{}", self.sign(&nonce));
        Answer::json(200, &json!({ "auth_token": token }))
    }

    /// Returns whether somebody is who they have to be; a token of any controller will do.
    fn knows(&self, request: &Request) -> bool {
        let token = request.authorization.as_deref().unwrap_or_default();
        let token = token
            .strip_prefix("Bearer ")
            .and_then(|token| token.split_once('.'));
        let is_ours = |(nonce, signature): (&str, &str)| {
            is_equal(self.sign(nonce).as_bytes(), signature.as_bytes())
        };
        request.has_certificate || token.is_some_and(is_ours)
    }

    fn sign(&self, nonce: &str) -> String {
        let state = &self.site.state;
        let parts = [
            b"session ".as_slice(),
            state.username.as_bytes(),
            b" ",
            nonce.as_bytes(),
        ];
        hex(&mac(state.authority.key.as_bytes(), &parts))
    }

    /// Packs a bundle. It leads to where the request says that it was sent: a bundle that somebody
    /// had fetched through a tunnel had `DOCKER_HOST=tcp://127.0.0.1:8443` and
    /// `--server https://127.0.0.1:6443`.
    fn bundle(&self, host: Option<&str>, identity: &Identity) -> Answer {
        let state = &self.site.state;
        let first = state.sans.first().map_or("127.0.0.1", String::as_str);
        let host = host.unwrap_or(first);
        let parts = host
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = parts.unwrap_or((host, 443));
        let entries = bundle::entries(&Owner {
            username: &state.username,
            host,
            port,
            ca: &self.site.ca,
            identity,
        });
        Answer::with(200, Body::Archive(entries))
    }
}

/// A manager is well while it has a quorum around it.
fn health(swarm: &Swarm) -> Answer {
    match &swarm.error {
        Some(error) => Answer::text(500, format!("the swarm is not well: {error}\n")),
        None if !swarm.is_manager => Answer::text(500, "this node is not a swarm manager\n"),
        None => Answer::text(200, "OK"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::PasswordHash;

    const PASSWORD: &str = r#"orca'9 "$x\`pw&*"#;

    fn controller(seed: u8) -> Controller {
        let state = ClusterState {
            authority: Identity {
                certificate: "CLUSTER CA".to_owned(),
                key: "key".to_owned(),
            },
            sans: vec!["mke.lab".to_owned()],
            username: "admin".to_owned(),
            password: PasswordHash::of(PASSWORD, Seed([9; 32])),
            port: 443,
            uses_external_cert: false,
            has_license: false,
        };
        let site = Site {
            ca: state.authority.certificate.clone(),
            server: Identity::default(),
            state,
        };
        Controller::new(site, Seed([seed; 32]))
    }

    fn request(method: &str, path: &str) -> Request {
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            ..Request::default()
        }
    }

    fn status(controller: &mut Controller, request: &Request) -> u16 {
        match controller.begin(request) {
            Handling::Answer(answer) => answer.status,
            Handling::Ask(_) => 0,
        }
    }

    fn log_in(controller: &mut Controller, body: &str) -> Answer {
        let mut request = request("POST", "/auth/login");
        request.body = body.as_bytes().to_vec();
        match controller.begin(&request) {
            Handling::Answer(answer) => answer,
            Handling::Ask(question) => panic!("{question:?}"),
        }
    }

    fn token(controller: &mut Controller) -> String {
        let body = json!({ "username": "admin", "password": PASSWORD }).to_string();
        let answer = log_in(controller, &body);
        assert_eq!(answer.status, 200);
        let Body::Json(body) = answer.body else {
            panic!("no JSON");
        };
        let body: Value = serde_json::from_slice(&body).unwrap();
        body["auth_token"].as_str().unwrap().to_owned()
    }

    fn ping(told: Told) -> Answer {
        let mut controller = controller(1);
        match controller.begin(&request("GET", "/_ping")) {
            Handling::Ask(question) => controller.finish(&question, told),
            Handling::Answer(answer) => panic!("{answer:?}"),
        }
    }

    #[test]
    fn a_ping_is_ok_only_with_a_quorum() {
        let well = Swarm {
            is_manager: true,
            ..Swarm::default()
        };
        let lost = Swarm {
            error: Some("The swarm does not have a leader".to_owned()),
            ..well.clone()
        };
        let refusal = Refusal {
            status: None,
            message: "no answer in 4 s".to_owned(),
        };

        assert_eq!(ping(Told::Swarm(well)), Answer::text(200, "OK"));
        assert_eq!(ping(Told::Swarm(lost)).status, 500);
        assert_eq!(ping(Told::Swarm(Swarm::default())).status, 500);
        assert_eq!(ping(Told::Refused(refusal)).status, 500);
    }

    #[test]
    fn only_the_password_opens_a_session() {
        let mut controller = controller(1);

        for (body, wanted) in [
            (json!({ "username": "admin", "password": "another" }), 401),
            (json!({ "username": "root", "password": PASSWORD }), 401),
            (json!({ "username": "admin" }), 401),
            (json!([]), 401),
        ] {
            assert_eq!(log_in(&mut controller, &body.to_string()).status, wanted);
        }
        assert_eq!(log_in(&mut controller, "username=admin").status, 400);
        assert_eq!(status(&mut controller, &request("GET", "/auth/login")), 405);
    }

    #[test]
    fn a_session_is_good_on_every_controller() {
        let mut first = controller(1);
        let mut second = controller(2);
        let mut request = request("GET", "/nodes");
        assert_eq!(status(&mut second, &request), 401);

        request.authorization = Some(format!("Bearer {}", token(&mut first)));
        assert_eq!(status(&mut second, &request), 0);

        request.authorization = Some("Bearer made.up".to_owned());
        assert_eq!(status(&mut second, &request), 401);
        assert_ne!(token(&mut first), token(&mut first));
    }

    #[test]
    fn a_certificate_of_the_cluster_is_as_good_as_a_session() {
        let mut request = request("GET", "/info");
        request.has_certificate = true;

        assert_eq!(status(&mut controller(1), &request), 0);
    }

    #[test]
    fn what_the_engine_knows_is_passed_on() {
        let mut controller = controller(1);
        let mut request = request("GET", "/containers/json");
        request.has_certificate = true;
        request.query = Some("all=1".to_owned());

        let Handling::Ask(question) = controller.begin(&request) else {
            panic!("answered without asking");
        };
        assert_eq!(
            question,
            Question::Engine("/containers/json?all=1".to_owned())
        );
        let told = Told::Engine {
            status: 200,
            body: b"[]".to_vec(),
        };
        let answer = controller.finish(&question, told);
        assert_eq!(answer, Answer::with(200, Body::Json(b"[]".to_vec())));
    }

    #[test]
    fn a_bundle_is_made_for_users() {
        let mut controller = controller(1);
        let mut request = request("GET", "/api/clientbundle");
        assert_eq!(status(&mut controller, &request), 401);

        request.has_certificate = true;
        request.host = Some("lb.lab:8443".to_owned());
        let Handling::Ask(question) = controller.begin(&request) else {
            panic!("no certificate is asked for");
        };
        let told = Told::Identity(Identity::default());
        let answer = controller.finish(&question, told);
        let Body::Archive(entries) = answer.body else {
            panic!("no archive");
        };
        let kube = entries.iter().find(|entry| entry.path == "kube.yml");
        let server = "server: https://lb.lab:6443\n";
        assert!(kube.is_some_and(|kube| kube.content.contains(server)));
    }

    #[test]
    fn paths_and_methods_are_known_or_refused() {
        let mut controller = controller(1);

        assert_eq!(status(&mut controller, &request("GET", "/nope")), 401);
        assert_eq!(status(&mut controller, &request("POST", "/_ping")), 405);
        assert_eq!(status(&mut controller, &request("HEAD", "/_ping")), 0);
        let ca = controller.begin(&request("GET", "/ca"));
        assert!(
            matches!(ca, Handling::Answer(answer) if answer == Answer::text(200, "CLUSTER CA"))
        );
        let mut known = request("GET", "/nope");
        known.has_certificate = true;
        assert_eq!(status(&mut controller, &known), 404);
        known.path = "/nodes".to_owned();
        known.method = "DELETE".to_owned();
        let Handling::Answer(answer) = controller.begin(&known) else {
            panic!("asked");
        };
        assert_eq!((answer.status, answer.allow), (405, Some("GET")));
    }

    #[test]
    fn an_engine_that_is_silent_is_not_passed_on() {
        let refusal = Refusal {
            status: None,
            message: "x".to_owned(),
        };
        let question = Question::Engine("/nodes".to_owned());

        let answer = controller(1).finish(&question, Told::Refused(refusal));

        assert_eq!(answer.status, 503);
    }
}
