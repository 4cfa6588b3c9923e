//! The configuration as its author meets it: the shipped example, the words of every diagnostic, and
//! the promise that no input makes the reader fall over.

mod contract;
mod documentation;
mod example;
mod faults;
mod forms;
mod robustness;
