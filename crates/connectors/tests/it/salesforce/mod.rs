//! Salesforce's connector against its double: the list at the end of our vendor notes, item by item.

mod bulk;
mod deletions;
mod faults;
mod large;
mod lookups;
mod messages;
mod pages;
mod stage;
mod writes;
