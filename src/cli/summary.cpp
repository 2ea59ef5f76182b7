// limrisk summary: what a store says about each cell.
#include "report/summary.hpp"

#include <memory>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"

namespace limrisk::cli {
namespace {

struct SummaryCommand {
    std::string store;
    bool json = false, csv = false;
};

ExitCode summary(const SummaryCommand& command) {
    const StoreSummary result = summarize(Store::open(command.store));
    print(command.json ? summary_json(result) : command.csv ? summary_csv(result) : summary_table(result));
    return ExitCode::Done;
}

}  // namespace

void add_summary(CLI::App& app, Action& action) {
    const auto options = std::make_shared<SummaryCommand>();
    CLI::App* command = app.add_subcommand("summary", "what a store says about each cell; also while a run writes it");
    command->add_option("STORE", options->store, "a store that `limrisk run` wrote")->required();
    CLI::Option* json = command->add_flag("--json", options->json, "as JSON");
    command->add_flag("--csv", options->csv, "as CSV, a row per cell")->excludes(json);
    command->footer(examples({"limrisk summary campaign.db", "limrisk summary campaign.db --csv"}));
    command->callback([&action, options] { action = [options] { return summary(*options); }; });
}

}  // namespace limrisk::cli
