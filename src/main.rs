//! One binary: the controller, its agents, and what a person runs.

fn main() -> std::process::ExitCode {
    loadtest_operator::cli::main()
}
