// Misspelt subcommands and options, refused with the name that was meant: CLI11 alone says that something was not expected, or is missing.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace limrisk::cli {

/// `words`: the command line, argv[0] first. Throws Error(Usage) for the first subcommand or option that `app` lacks.
void refuse_unknown_words(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace limrisk::cli
