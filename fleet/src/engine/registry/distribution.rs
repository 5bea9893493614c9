//! What a registry answers (OCI distribution specification 1.1), as a pure function.
//!
//! Clients from outside look and pull; they do not push.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Registries, Registry, catalogue, content};
use crate::engine::image::{Image, Reference};

/// A question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) authorization: Option<&'a str>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// What is wrong with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// Who asks is not known, or may not see that.
    Unauthorized,
    /// There is no such repository.
    Name,
    /// It has no such manifest.
    Manifest,
    /// It has no such blob.
    Blob,
    /// There is nothing under that path.
    Path,
    /// Nothing is taken from outside.
    ReadOnly,
    /// These were too many.
    TooMany,
}

impl Wrong {
    fn answer(self) -> Answer {
        let (status, code, message) = match self {
            Self::Unauthorized => (401, "UNAUTHORIZED", "authentication required"),
            Self::Name => (404, "NAME_UNKNOWN", "repository name not known to registry"),
            Self::Manifest => (404, "MANIFEST_UNKNOWN", "manifest unknown"),
            Self::Blob => (404, "BLOB_UNKNOWN", "blob unknown to registry"),
            Self::Path => (404, "NOT_FOUND", "there is nothing under this path"),
            Self::ReadOnly => (405, "UNSUPPORTED", "the operation is unsupported"),
            Self::TooMany => (429, "TOOMANYREQUESTS", "too many requests"),
        };
        // Keys stand in the order of the real one.
        let body = format!(
            "{{\"errors\":[{{\"code\":\"{code}\",\"message\":\"{message}\",\"detail\":null}}]}}\n"
        );
        let mut answer = Answer::of("application/json", body.into_bytes());
        answer.status = status;
        if self == Self::Unauthorized {
            let realm = "Basic realm=\"Registry\"".to_owned();
            answer.headers.push(("www-authenticate", realm));
        }
        answer
    }
}

impl Answer {
    fn of(kind: &str, body: Vec<u8>) -> Self {
        let version = "registry/2.0".to_owned();
        Self {
            status: 200,
            headers: vec![
                ("docker-distribution-api-version", version),
                ("content-type", kind.to_owned()),
            ],
            body,
        }
    }

    fn json(value: &Json) -> Self {
        Self::of("application/json", value.to_string().into_bytes())
    }

    fn with_digest(mut self, digest: &str) -> Self {
        self.headers
            .push(("docker-content-digest", digest.to_owned()));
        self
    }
}

/// Returns what the registry under a name answers.
pub(super) fn answer(registries: &mut Registries, domain: &str, question: &Question<'_>) -> Answer {
    let answered = match registries.all.get_mut(domain) {
        Some(registry) => respond(registry, domain, question),
        None => Err(Wrong::Path),
    };
    answered.unwrap_or_else(Wrong::answer)
}

fn respond(
    registry: &mut Registry,
    domain: &str,
    question: &Question<'_>,
) -> Result<Answer, Wrong> {
    let is_user = !registry.users.is_empty() && registry.admits(question.authorization);
    let is_hub = domain == "docker.io";
    let is_stranger = !registry.users.is_empty() && !is_user;
    if is_stranger && (!is_hub || question.authorization.is_some()) {
        return Err(Wrong::Unauthorized);
    }
    let path = question.path.strip_prefix("/v2/").ok_or(Wrong::Path)?;
    if !matches!(question.method, "GET" | "HEAD") {
        return Err(Wrong::ReadOnly);
    }
    if path.is_empty() {
        return Ok(Answer::json(&json!({})));
    }
    if path == "_catalog" {
        let names = registry.names();
        return Ok(listing(question, "repositories", &names, None));
    }
    if let Some(name) = path.strip_suffix("/tags/list") {
        registry.see(name, is_user)?;
        let tags = registry.tags(name);
        return Ok(listing(question, "tags", &tags, Some(name)));
    }
    if let Some((name, wanted)) = path.rsplit_once("/manifests/") {
        registry.see(name, is_user)?;
        return registry.manifest_of(domain, name, wanted, is_user, question.method == "GET");
    }
    if let Some((name, digest)) = path.rsplit_once("/blobs/") {
        registry.see(name, is_user)?;
        return registry.blob(name, digest);
    }
    Err(Wrong::Path)
}

/// Returns a list, or a part of it (`n`, `last`).
fn listing(
    question: &Question<'_>,
    key: &str,
    all: &BTreeSet<String>,
    name: Option<&str>,
) -> Answer {
    let pairs = question
        .query
        .split('&')
        .filter_map(|one| one.split_once('='));
    let given: BTreeMap<&str, &str> = pairs.collect();
    let last = given.get("last").copied().unwrap_or_default();
    let most = given.get("n").and_then(|count| count.parse().ok());
    let after: Vec<&String> = all.iter().filter(|one| one.as_str() > last).collect();
    let part = &after[..after.len().min(most.unwrap_or(usize::MAX))];
    let mut value = json!({ key: part });
    if let Some(name) = name {
        value["name"] = json!(name);
    }
    let mut answer = Answer::json(&value);
    if let (Some(most), Some(next)) = (most, part.last().filter(|_| part.len() < after.len())) {
        let path = question.path;
        let link = format!("<{path}?last={next}&n={most}>; rel=\"next\"");
        answer.headers.push(("link", link));
    }
    answer
}

impl Registry {
    /// Looks whether somebody may see a repository. Docker Hub does not tell whether there is one
    /// that he may not see.
    fn see(&self, name: &str, is_user: bool) -> Result<(), Wrong> {
        match self.repositories.get(name) {
            Some(repository) if repository.is_private && !is_user => Err(Wrong::Unauthorized),
            Some(_) => Ok(()),
            None if self.has_all_of_mke && catalogue::is_of_mke(name) => Ok(()),
            None => Err(Wrong::Name),
        }
    }

    fn names(&self) -> BTreeSet<String> {
        let handed = self.handed.keys().map(|(name, _)| name);
        self.repositories.keys().chain(handed).cloned().collect()
    }

    /// Returns the tags of a repository. One that has all of MKE has those that it was asked for.
    fn tags(&self, name: &str) -> BTreeSet<String> {
        let known = self.repositories.get(name).into_iter();
        let known = known.flat_map(|one| one.tags.keys());
        let own = self.own.iter().filter(|_| catalogue::is_of_mke(name));
        let own = own.flat_map(|own| &own.versions);
        let handed = self.handed.keys().filter(|(of, _)| of == name);
        let handed = handed.map(|(_, tag)| tag);
        known.chain(own).chain(handed).cloned().collect()
    }

    fn manifest_of(
        &mut self,
        domain: &str,
        name: &str,
        wanted: &str,
        is_user: bool,
        is_pull: bool,
    ) -> Result<Answer, Wrong> {
        let handed = self.images(name).find(|image| image.digest == wanted);
        let image = match handed {
            Some(image) => Arc::clone(image),
            None if wanted.contains(':') => return Err(Wrong::Manifest),
            None => {
                let reference = Reference {
                    domain: domain.to_owned(),
                    path: name.to_owned(),
                    tag: Some(wanted.to_owned()),
                    digest: None,
                };
                let found = self.find(&reference, is_user);
                let image = found.map_err(|_words_of_an_engine| Wrong::Manifest)?;
                self.hand(name, wanted, &image);
                image
            }
        };
        if is_pull && let Some(left) = &mut self.pulls_left {
            *left = left.checked_sub(1).ok_or(Wrong::TooMany)?;
        }
        let manifest = content::manifest(&image);
        Ok(Answer::of(content::MANIFEST, manifest).with_digest(&image.digest))
    }

    /// Takes note of an image that is nowhere but in a name.
    fn hand(&mut self, name: &str, tag: &str, image: &Arc<Image>) {
        let is_kept = self.repositories.get(name);
        if is_kept.is_none_or(|repository| !repository.tags.contains_key(tag)) {
            let key = (name.to_owned(), tag.to_owned());
            self.handed.insert(key, Arc::clone(image));
        }
    }

    /// Returns the images of a repository.
    fn images(&self, name: &str) -> impl Iterator<Item = &Arc<Image>> {
        let kept = self.repositories.get(name).into_iter();
        let kept = kept.flat_map(|repository| repository.tags.values());
        let handed = self.handed.iter().filter(move |((of, _), _)| of == name);
        kept.chain(handed.map(|(_, image)| image))
    }

    fn blob(&self, name: &str, digest: &str) -> Result<Answer, Wrong> {
        let bytes = self.images(name).find_map(|image| {
            if image.id == digest {
                return Some(content::config(image));
            }
            let mut layers = image.layers.iter();
            let layer = layers.find(|layer| layer.digest == digest)?;
            Some(content::layer(&layer.text))
        });
        let bytes = bytes.ok_or(Wrong::Blob)?;
        Ok(Answer::of("application/octet-stream", bytes).with_digest(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::registry::{Own, small_images};

    const LAB: &str = "registry.lab";

    fn ask(registries: &mut Registries, path: &str) -> Answer {
        ask_as(registries, path, None)
    }

    fn ask_as(registries: &mut Registries, path: &str, authorization: Option<&str>) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let question = Question {
            method: "GET",
            path,
            query,
            authorization,
        };
        answer(registries, LAB, &question)
    }

    fn value(answer: &Answer) -> Json {
        serde_json::from_slice(&answer.body).unwrap()
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        let mut headers = answer.headers.iter();
        let found = headers.find(|(one, _)| *one == name);
        found.map(|(_, value)| value.as_str())
    }

    fn registries() -> Registries {
        let mut registries = Registries::default();
        for (name, image) in small_images() {
            let name = name.replace("docker.io/library", LAB);
            registries.add(&name, image);
        }
        registries.registry(LAB).has_all_of_mke = true;
        registries
    }

    #[test]
    fn everything_is_what_its_digest_says() {
        let mut registries = registries();

        for path in ["alpine/manifests/latest", "mirantis/ucp/manifests/3.8.8"] {
            let (name, _) = path.split_once("/manifests/").unwrap();
            let manifest = ask(&mut registries, &format!("/v2/{path}"));
            assert_eq!(manifest.status, 200, "{path}");
            let digest = content::digest(&manifest.body);
            assert_eq!(header(&manifest, "docker-content-digest"), Some(&*digest));
            let again = ask(&mut registries, &format!("/v2/{name}/manifests/{digest}"));
            assert_eq!(again, manifest);
            let text = value(&manifest);
            let layers = text["layers"].as_array().unwrap();
            assert!(!layers.is_empty());
            for part in layers.iter().chain([&text["config"]]) {
                let digest = part["digest"].as_str().unwrap();
                let blob = ask(&mut registries, &format!("/v2/{name}/blobs/{digest}"));
                assert_eq!(content::digest(&blob.body), digest);
                assert_eq!(part["size"], blob.body.len());
            }
        }
    }

    #[test]
    fn what_is_not_there_has_a_code_of_the_specification() {
        let mut registries = registries();

        for (path, status, code) in [
            ("/v2/nothing/tags/list", 404, "NAME_UNKNOWN"),
            ("/v2/alpine/manifests/9", 404, "MANIFEST_UNKNOWN"),
            ("/v2/alpine/manifests/sha256:00", 404, "MANIFEST_UNKNOWN"),
            ("/v2/alpine/blobs/sha256:00", 404, "BLOB_UNKNOWN"),
            ("/v1/", 404, "NOT_FOUND"),
        ] {
            let answer = ask(&mut registries, path);
            assert_eq!(answer.status, status, "{path}");
            assert_eq!(value(&answer)["errors"][0]["code"], code, "{path}");
        }
        let push = Question {
            method: "POST",
            path: "/v2/alpine/blobs/uploads/",
            query: "",
            authorization: None,
        };
        assert_eq!(answer(&mut registries, LAB, &push).status, 405);
    }

    #[test]
    fn a_private_registry_asks_who_somebody_is() {
        let mut registries = registries();
        let users = &mut registries.registry(LAB).users;
        users.insert("u".to_owned(), "p".to_owned());

        // u:p and u:x.
        for (authorization, status) in [
            (None, 401),
            (Some("Basic dTp4"), 401),
            (Some("Basic dTpw"), 200),
        ] {
            for path in ["/v2/", "/v2/_catalog", "/v2/alpine/manifests/latest"] {
                let answer = ask_as(&mut registries, path, authorization);
                assert_eq!(answer.status, status, "{path}");
                let asks = header(&answer, "www-authenticate").is_some();
                assert_eq!(asks, status == 401);
            }
        }
    }

    #[test]
    fn lists_come_in_parts() {
        let mut registries = registries();
        let own = Own {
            versions: vec!["3.7.1".to_owned(), "3.8.8".to_owned()],
            label: "name".to_owned(),
        };
        registries.registry(LAB).own = Some(own);

        let first = ask(&mut registries, "/v2/mirantis/ucp/tags/list?n=1");
        let next = header(&first, "link").unwrap();
        let (path, _) = next[1..].split_once('>').unwrap();
        let rest = ask(&mut registries, path);

        assert_eq!(
            value(&first),
            json!({ "name": "mirantis/ucp", "tags": ["3.7.1"] })
        );
        assert_eq!(value(&rest)["tags"], json!(["3.8.8"]));
        assert_eq!(header(&rest, "link"), None);
        let names = value(&ask(&mut registries, "/v2/_catalog"));
        assert_eq!(names["repositories"][0], "alpine");
    }

    #[test]
    fn pulls_that_are_too_many_are_refused() {
        let mut registries = registries();
        registries.registry(LAB).pulls_left = Some(1);

        let statuses = [(); 2].map(|()| ask(&mut registries, "/v2/alpine/manifests/latest").status);

        assert_eq!(statuses, [200, 429]);
    }
}
