//! Doorward, a self-hosted identity server.

// Minting a token makes some hundred small pieces of memory, on whatever thread it happens to run: see docs/adr/0008.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    doorward_server::cli::main()
}
