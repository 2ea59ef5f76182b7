// limrisk report: a store as pictures and tables, in one HTML file.
#include "report/report.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/summary_output.hpp"
#include "store/store.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk::cli {
namespace {

struct ReportCommand {
    StoreChoice choice;
    std::string out, figures, compare;
    double tolerance = default_tolerance;
    std::int64_t restarts = 0;
    bool force = false;
};

/// The trajectories that the store keeps.
std::vector<CellTrajectory> stored_trajectories(const Store& store) {
    std::vector<CellTrajectory> all;
    for (const StoredDocument& document : store.documents(document_kind::trajectory)) all.push_back(trajectory_from_json(document.text));
    return all;
}

ExitCode report(const ReportCommand& command) {
    const OpenStores stores = open_stores(command.choice, "report");
    const Store& store = stores.store;
    const StoreSummary summary = summarize_stores(stores, command.tolerance, command.restarts);
    std::vector<std::filesystem::path> names;
    for (const std::filesystem::path& one : stores.paths) names.push_back(one.filename());
    const ReportOrigin origin{store_names(names), LIMRISK_VERSION};
    ReportFiles files{command.out, std::nullopt, command.force};
    if (!command.figures.empty()) files.figures = command.figures;
    std::optional<StoreComparison> comparison;
    if (!command.compare.empty()) comparison = compare_cells(store, summary, command.compare);
    stores.display->clear();
    const std::size_t figures = write_report(summary, stored_trajectories(store), origin, files, comparison ? &*comparison : nullptr);
    note(fmt::format("{} cell{}, {} figures written to {}\n", summary.cells.size(), summary.cells.size() == 1 ? "" : "s", figures,
                     command.out == standard_output_name ? "standard output" : command.out));
    if (files.figures) note(fmt::format("the same figures as SVG, PDF and CSV in {}\n", command.figures));
    return verdict_of(summary);
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
    const auto options = std::make_shared<ReportCommand>();
    CLI::App* command = app.add_subcommand("report", "write figures and tables to one HTML file; needs gnuplot");
    add_stores_option(*command, options->choice);
    add_output_options(*command, "--out", "the HTML file to write", options->out, options->force)->required();
    command->add_option("--figures", options->figures, "also write each figure as SVG, PDF and CSV into this directory")->type_name("DIR");
    add_compare_option(*command, options->compare);
    add_tolerance_option(*command, options->tolerance);
    add_restarts_option(*command, options->restarts);
    command->footer(examples(
        {"limrisk report campaign.db --out report.html", "limrisk report campaign.db --out paper.html --figures figures --compare width"}));
    command->callback([&action, options] { action = [options] { return report(*options); }; });
}

}  // namespace limrisk::cli
