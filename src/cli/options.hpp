// Options that several subcommands share, checked strictly: CLI11 alone takes -1 for an unsigned number and 010 for 8.
#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "backend/backend.hpp"

namespace limrisk::cli {

/// Accepts decimal whole numbers low..high and drops their leading zeros. For Option::transform: check() would keep the zeros.
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high);

struct BackendChoice {
    std::string name = "auto";
    int threads = 0;  ///< 0: all cores
};

/// Adds --backend and --threads.
void add_backend_options(CLI::App& command, BackendChoice& choice);

/// The backend asked for. Throws Error(Usage) for an unknown name, DeviceError for one that this build or machine lacks.
std::unique_ptr<Backend> make_backend(const BackendChoice& choice);

/// Footer of a help text: the examples, one per line. A test runs each of them.
std::string examples(std::initializer_list<const char*> lines);

}  // namespace limrisk::cli
