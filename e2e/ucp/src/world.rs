//! What the process finds around it: environment, the image it runs from, unpredictable bytes.

use serde_json::Value;
use standin::command::Seed;
use standin::engine::Refusal;
use standin::{Environment, World};

use crate::engine::Engine;

/// The file in which the engine writes the id of a container, unless its name was chosen.
const HOST_NAME: &str = "/etc/hostname";

/// The name that the bootstrapper's container is asked to have.
const BOOTSTRAPPER: &str = "ucp";

/// Returns the environment; what is no text is left out.
pub(crate) fn environment() -> Environment {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Looks around.
///
/// # Errors
///
/// Fails where the engine does not know the container that the process runs in.
pub(crate) async fn look(engine: &Engine, environment: Environment) -> Result<World, Refusal> {
    let image = match environment.value("UCP_IMAGE") {
        Some(image) => image.to_owned(),
        None => own_image(engine).await?,
    };
    Ok(World {
        image,
        environment,
        seed: seed()?,
    })
}

async fn own_image(engine: &Engine) -> Result<String, Refusal> {
    let id = std::fs::read_to_string(HOST_NAME).unwrap_or_default();
    let mut last = None;
    for name in [id.trim(), BOOTSTRAPPER] {
        if name.is_empty() {
            continue;
        }
        match engine.json(&format!("/containers/{name}/json")).await {
            Ok(container) => {
                if let Some(image) = container.pointer("/Config/Image").and_then(Value::as_str) {
                    return Ok(image.to_owned());
                }
            }
            Err(refusal) => last = Some(refusal),
        }
    }
    Err(last.unwrap_or_else(|| refused("the engine does not name the image of this container")))
}

/// Returns bytes that nobody can guess.
pub(crate) fn seed() -> Result<Seed, Refusal> {
    let mut seed = [0; 32];
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random
        .fill(&mut seed)
        .map_err(|error| refused(&format!("there are no random bytes: {error:?}")))?;
    Ok(Seed(seed))
}

/// Makes a refusal that is not the engine's.
pub(crate) fn refused(message: &str) -> Refusal {
    Refusal {
        status: None,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;

    #[tokio::test]
    async fn the_image_is_that_of_the_own_container() {
        let fake = Fake::start(|request| match request.path.as_str() {
            "/containers/ucp/json" => (
                200,
                r#"{"Config":{"Image":"docker.io/mirantis/ucp:3.8.8"}}"#.into(),
            ),
            _ => (404, r#"{"message":"No such container"}"#.into()),
        });

        let world = look(&fake.engine(), Environment::default()).await.unwrap();

        assert_eq!(world.image, "docker.io/mirantis/ucp:3.8.8");
    }

    #[tokio::test]
    async fn a_role_is_told_its_image() {
        let environment = [("UCP_IMAGE", "mirantis/ucp-agent:3.8.8")]
            .into_iter()
            .collect();

        let world = look(&Engine::at("/nowhere"), environment).await.unwrap();

        assert_eq!(world.image, "mirantis/ucp-agent:3.8.8");
    }

    #[tokio::test]
    async fn a_container_that_the_engine_does_not_know_has_no_image() {
        let fake = Fake::start(|_| (404, r#"{"message":"No such container: x"}"#.into()));

        let refusal = look(&fake.engine(), Environment::default())
            .await
            .unwrap_err();

        assert!(refusal.is_missing(), "{refusal}");
    }

    #[test]
    fn no_seed_is_like_another() {
        assert_ne!(seed().unwrap().0, seed().unwrap().0);
    }
}
