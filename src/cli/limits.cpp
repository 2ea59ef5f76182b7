// limrisk limits: where gradient descent ends, proved trial by trial, kept in the store.
#include <memory>
#include <optional>

#include "analysis/limit_scan.hpp"
#include "cli/command.hpp"
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
    show_answers(
        command, csv.get(), [&] { return limits_csv(cells); }, [&] { return limits_json(cells); }, [&] { return limits_table(cells); });
    return ExitCode::Done;
}

}  // namespace

void add_limits(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    add_study(app, action, words, "limits",
              "prove where gradient descent on fixed points ends (with momentum or without, relu and the like), trial by trial; saved in "
              "the store",
              {"limrisk limits campaign.db", "limrisk limits campaign.db --trials 20 --csv limits.csv --json"}, limits);
}

}  // namespace limrisk::cli
