// stderr, so that it is seen where stdout goes to a file.
#include "cli/summary_output.hpp"

#include "cli/output.hpp"
#include "report/summary_remarks.hpp"

namespace limrisk::cli {

ExitCode verdict_of(const StoreSummary& summary) {
    for (const std::string& warning : summary.warnings) note("limrisk: WARNING: " + warning + "\n");
    const std::string violated = violations(summary);
    note(violated);
    return violated.empty() ? ExitCode::Done : ExitCode::Defect;
}

}  // namespace limrisk::cli
