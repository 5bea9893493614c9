//! `push`.

use super::flags::{Flag, Flags};
use super::{Docker, Failure, Outcome, only, said};
use crate::engine::image::{Reference, familiar, is_repository};
use crate::engine::names;
use crate::engine::push::{self, Place};

impl Docker<'_> {
    /// `docker push`.
    pub(super) async fn push(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("quiet").short('q'),
            Flag::switch("all-tags").short('a'),
        ];
        let flags = Flags::parse(&known, words)?;
        let name = only(&flags, "push")?.to_owned();
        let reference = Reference::parse(&name).map_err(said)?;
        let is_quiet = flags.has("quiet");
        let all = self.tags_to_push(&reference, &flags, &name).await?;
        let wanted = reference.tag.as_deref();
        let is_wanted = |tag: &&String| flags.has("all-tags") || wanted == Some(tag.as_str());
        let tags: Vec<&String> = all.iter().filter(is_wanted).collect();
        let repository = reference.repository();
        if !is_quiet {
            self.invocation
                .print(&format!("The push refers to repository [{repository}]\n"));
        }
        if tags.is_empty() {
            return Err(said(match all.is_empty() {
                false => format!("tag does not exist: {reference}"),
                true => format!(
                    "An image does not exist locally with the tag: {}",
                    familiar(&repository)
                ),
            }));
        }
        for tag in tags {
            let one = Reference {
                tag: Some(tag.clone()),
                digest: None,
                ..reference.clone()
            };
            self.push_one(&one, is_quiet).await?;
        }
        if is_quiet {
            let shown = reference.tagged().unwrap_or(repository);
            self.invocation.print(&format!("{shown}\n"));
        }
        Ok(0)
    }

    /// Returns all tags of a repository that is to be pushed.
    async fn tags_to_push(
        &mut self,
        reference: &Reference,
        flags: &Flags,
        name: &str,
    ) -> Result<Vec<String>, Failure> {
        let wants_all = flags.has("all-tags");
        if wants_all && !is_repository(name) {
            return Err(said("tag can't be used with --all-tags/-a"));
        }
        if is_repository(name) && !wants_all && !flags.has("quiet") {
            self.invocation.print("Using default tag: latest\n");
        }
        let start = format!("{}:", reference.repository());
        self.engine(|world, host, _| {
            let images = world.engine(host).images.iter();
            let tags = images.flat_map(|local| local.tags.iter());
            let tags = tags.filter_map(|tag| tag.strip_prefix(&start).map(str::to_owned));
            Ok(tags.collect())
        })
        .await
    }

    /// Pushes one tag. What goes wrong comes in the stream of the answer, without the words that
    /// stand before other complaints of the engine.
    async fn push_one(&mut self, reference: &Reference, is_quiet: bool) -> Result<(), Failure> {
        let login = self.login_for(&reference.domain);
        let plan = self
            .engine(|world, host, _| push::plan(world, host, reference, login.as_ref()))
            .await?;
        if !is_quiet {
            for layer in plan.layers.iter().rev() {
                let digest = names::short(&layer.layer.digest);
                self.invocation.print(&format!("{digest}: Preparing\n"));
            }
        }
        self.invocation.sleep(plan.took).await;
        if let Some(problem) = plan.problem {
            return Err(said(problem));
        }
        self.engine(|world, host, _| {
            push::keep(world, host, reference, &plan.image);
            Ok(())
        })
        .await?;
        if is_quiet {
            return Ok(());
        }
        for layer in plan.layers.iter().rev() {
            let what = match &layer.place {
                Place::Nowhere => "Pushed".to_owned(),
                Place::Here => "Layer already exists".to_owned(),
                Place::In(other) => format!("Mounted from {other}"),
            };
            let digest = names::short(&layer.layer.digest);
            self.invocation.print(&format!("{digest}: {what}\n"));
        }
        self.invocation.print(&format!(
            "{}: digest: {} size: {}\n",
            reference.tag.as_deref().unwrap_or_default(),
            plan.image.digest,
            push::manifest_size(&plan.image)
        ));
        Ok(())
    }
}
