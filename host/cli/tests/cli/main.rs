//! The tool from outside: what it prints where, and with which exit code it ends.

mod desk;
mod answers;
mod faults;
mod looks;
