//! What a gauntlet asks of the world: commands, HTTP requests, and services that run meanwhile.
