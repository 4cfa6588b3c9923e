//! The documents say what is: their paths exist, their commands exist, their configuration files
//! load, and the README's walkthrough and the commands that watch a daemon run as they are written.
//!
//! Markdown fences are marked by a comment on the line before them:
//! `<!-- config: FILE -->` is a whole file of the configuration; `<!-- run … -->` and
//! `<!-- expect … -->` are steps of the walkthrough (see the `walkthrough` file).

mod commands;
mod configuration;
mod markdown;
mod paths;
mod walkthrough;
mod watching;
