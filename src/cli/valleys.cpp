// limrisk valleys: in which valley of the risk every trial ends, kept in the store.
#include <memory>
#include <optional>

#include "analysis/valley_scan.hpp"
#include "cli/command.hpp"
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
    show_answers(
        command, csv.get(), [&] { return valleys_csv(cells); }, [&] { return valleys_json(cells); }, [&] { return valleys_table(cells); });
    return ExitCode::Done;
}

}  // namespace

void add_valleys(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    add_study(app, action, words, "valleys", "descend from the last network of every trial to the bottom of its valley; saved in the store",
              {"limrisk valleys campaign.db --trials 20", "limrisk valleys campaign.db --trials 20 --csv valleys.csv --json"}, valleys);
}

}  // namespace limrisk::cli
