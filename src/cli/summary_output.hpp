// What commands that show a summary have in common.
#pragma once
#include <CLI/CLI.hpp>

#include "analysis/summary.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cli {

/// --tolerance, for summarize().
void add_tolerance_option(CLI::App& command, double& tolerance);

/// Done; or Defect, after a line on stderr for each theorem that the trials violate. Warnings go to stderr, too.
ExitCode verdict_of(const StoreSummary& summary);

}  // namespace limrisk::cli
