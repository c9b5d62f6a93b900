//! Doorward, a self-hosted identity server.

fn main() -> std::process::ExitCode {
    doorward_server::cli::main()
}
