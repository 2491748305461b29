//! The channels against real servers: NATS, RabbitMQ and Redis from Debian, SQS and S3 by moto.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "the tests read the real brokers over plain connections")]

mod bed;
mod checks;
mod guard;
mod nats;
mod people;
mod rabbitmq;
mod redis_stream;
mod s3;
mod sqs;
mod tls;
