// stderr, so that it is seen where stdout goes to a file.
#include "cli/summary_output.hpp"

#include "cli/options.hpp"
#include "cli/output.hpp"
#include "report/summary_remarks.hpp"

namespace limrisk::cli {

void add_tolerance_option(CLI::App& command, double& tolerance) {
    command.add_option("--tolerance", tolerance, "a trial counts as missed if its limiting risk is above (1 + T) x best known risk")
        ->type_name("T")
        ->check(decimal_number(0, 1e6))
        ->capture_default_str();
}

ExitCode verdict_of(const StoreSummary& summary) {
    for (const std::string& warning : summary.warnings) note("limrisk: WARNING: " + warning + "\n");
    const std::string violated = violations(summary);
    note(violated);
    return violated.empty() ? ExitCode::Done : ExitCode::Defect;
}

}  // namespace limrisk::cli
