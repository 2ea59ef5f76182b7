// limrisk limits: where gradient descent ends, proved trial by trial, kept in the store.
#include <memory>

#include "analysis/limit_scan.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/study_session.hpp"
#include "report/limit_text.hpp"

namespace limrisk::cli {
namespace {

ExitCode limits(const StudyCommand& command) {
    const std::unique_ptr<OutputFile> csv = open_csv(command);
    std::vector<StudiedCell> studied;
    if (const std::optional<ExitCode> stopped = run_study(command, limit_study, studied)) return *stopped;
    const Store store = Store::open(command.store);
    const LimitScan scan(store);
    std::vector<CellLimits> cells;
    for (const StudiedCell& one : studied)
        if (const auto statement = scan.statement(one.cell, one.trials, store.stopping().has_value()))
            cells.push_back({one.cell, *statement, scan.limits(one.cell)});
    if (csv) {
        csv->write(limits_csv(cells));
        csv->commit();
    }
    if (!csv || !csv->is_stdout()) print(command.json ? limits_json(cells) : limits_table(cells));
    return ExitCode::Done;
}

}  // namespace

void add_limits(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    const auto options = std::make_shared<StudyCommand>();
    options->words = words;
    CLI::App* command = app.add_subcommand(
        "limits", "prove where gradient descent on fixed points ends (sgd, relu, constant rate), trial by trial; saved in the store");
    add_study_options(*command, *options);
    command->footer(examples({"limrisk limits campaign.db", "limrisk limits campaign.db --trials 20 --csv limits.csv --json"}));
    command->callback([&action, options] { action = [options] { return limits(*options); }; });
}

}  // namespace limrisk::cli
