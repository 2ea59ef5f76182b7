// limrisk export: all trials of a store for other programs.
#include "report/export.hpp"

#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"

namespace limrisk::cli {
namespace {

struct ExportCommand {
    std::string store, format, out;
    bool parameters = false, force = false;
};

std::string shown_output(const ExportCommand& command) { return command.out == standard_output_name ? "standard output" : command.out; }

ExitCode export_parameters(const ExportCommand& command) {
    if (!command.format.empty() && parse_export_format(command.format) != ExportFormat::Npz)
        throw Error(ExitCode::Usage, fmt::format("--format {}: with --parameters there is npz only", command.format));
    const Store store = Store::open(command.store);
    const std::int64_t trials = export_kept_parameters(store, command.out, command.force);
    note(fmt::format("parameters {} of {} trials of {} cells written to {}\n", store.keep().text(), trials, store.cells().size(),
                     shown_output(command)));
    return ExitCode::Done;
}

ExitCode export_trials(const ExportCommand& command) {
    if (command.parameters) return export_parameters(command);
    if (command.format.empty()) throw Error(ExitCode::Usage, "--format is required: csv, json or npz");
    const ExportFormat format = parse_export_format(command.format);
    Store store = Store::open(command.store);
    ReadingDisplay display("export");
    display.watch(store);
    const std::int64_t trials = export_store(store, format, command.out, command.force);
    display.clear();
    const char* what = store.contents() == StoreContents::Summary ? "histograms of " : "";
    note(fmt::format("{}{} trials of {} cells written to {}\n", what, trials, store.cells().size(), shown_output(command)));
    if (store.contents() == StoreContents::Summary) note("the store keeps summaries, so there are no rows of trials\n");
    return ExitCode::Done;
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
    const auto options = std::make_shared<ExportCommand>();
    CLI::App* command = app.add_subcommand("export", "write all trials to a file, one row per trial (store of summaries: histograms)");
    command->add_option("STORE", options->store, "a store that `limrisk run` wrote")->required();
    command->add_option("--format", options->format, "csv, json or npz (NumPy)")->type_name("NAME");
    command->add_flag("--parameters", options->parameters, "instead, the parameters that the store keeps (`keep` in a campaign), as npz");
    add_output_options(*command, "--out", "the file to write", options->out, options->force)->required();
    command->footer(examples(
        {"limrisk export campaign.db --format csv --out trials.csv", "limrisk export campaign.db --format npz --out trials.npz --force",
         "limrisk export campaign.db --format csv --out - | head -3", "limrisk export campaign.db --parameters --out networks.npz"}));
    command->callback([&action, options] { action = [options] { return export_trials(*options); }; });
}

}  // namespace limrisk::cli
