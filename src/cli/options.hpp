// Options that several subcommands share, checked strictly: CLI11 alone takes -1 for an unsigned number and 010 for 8.
#pragma once
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <string>

namespace limrisk::cli {

/// Accepts decimal whole numbers low..high and drops their leading zeros. For Option::transform: check() would keep the zeros.
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high);

/// Accepts finite decimal numbers low..high: neither nan nor inf, no hexadecimal digits, nothing behind the number.
CLI::Validator decimal_number(double low, double high);

/// Seconds of "H:MM:SS" or "D-H:MM:SS", as clusters write times. Throws Error(Usage), naming the option, for anything else, and for 0.
std::chrono::seconds time_span(const std::string& option, const std::string& text);

/// The inverse: "3:50:00", from a day on "1-03:50:00".
std::string time_text(std::chrono::seconds time);

/// Footer of a help text: the examples, one per line. A test runs each of them.
std::string examples(std::initializer_list<const char*> lines);

/// The option `flag` for a file to write, "-" for stdout, and --force to replace a file that is there.
CLI::Option* add_output_options(CLI::App& command, const std::string& flag, const std::string& what, std::string& name, bool& force);

}  // namespace limrisk::cli
