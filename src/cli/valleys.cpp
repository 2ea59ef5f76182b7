// limrisk valleys: in which valley of the risk every trial ends, kept in the store.
#include <memory>

#include "analysis/valley_scan.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/study_session.hpp"
#include "report/valley_text.hpp"

namespace limrisk::cli {
namespace {

ExitCode valleys(const StudyCommand& command) {
    const std::unique_ptr<OutputFile> csv = open_csv(command);
    std::vector<StudiedCell> studied;
    if (const std::optional<ExitCode> stopped = run_study(command, valley_study, studied)) return *stopped;
    const Store store = Store::open(command.store);
    const ValleyScan scan(store);
    const KnownOptima optima(store);
    std::vector<CellValleys> cells;
    for (const StudiedCell& one : studied)
        if (auto statement = scan.statement(one.cell, optima, one.trials, store.stopping().has_value()))
            cells.push_back({one.cell, std::move(*statement), scan.valleys(one.cell)});
    if (csv) {
        csv->write(valleys_csv(cells));
        csv->commit();
    }
    if (!csv || !csv->is_stdout()) print(command.json ? valleys_json(cells) : valleys_table(cells));
    return ExitCode::Done;
}

}  // namespace

void add_valleys(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    const auto options = std::make_shared<StudyCommand>();
    options->words = words;
    CLI::App* command =
        app.add_subcommand("valleys", "descend from the last network of every trial to the bottom of its valley; saved in the store");
    add_study_options(*command, *options);
    command->footer(
        examples({"limrisk valleys campaign.db --trials 20", "limrisk valleys campaign.db --trials 20 --csv valleys.csv --json"}));
    command->callback([&action, options] { action = [options] { return valleys(*options); }; });
}

}  // namespace limrisk::cli
