// How a command ends that has shown a summary.
#pragma once
#include "limrisk/error.hpp"
#include "report/summary.hpp"

namespace limrisk::cli {

/// Done; or Defect, after a line on stderr for each theorem that the trials violate. Warnings go to stderr, too.
ExitCode verdict_of(const StoreSummary& summary);

}  // namespace limrisk::cli
