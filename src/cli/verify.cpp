// limrisk verify: every block of a store against its hash.
#include <fmt/format.h>

#include <memory>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "store/store.hpp"

namespace limrisk::cli {
namespace {

ExitCode verify(const std::string& path) {
    Store store = Store::open(path);
    ReadingDisplay display("verify");
    display.watch(store);
    const std::vector<std::string> problems = store.verify();
    display.clear();
    if (!problems.empty()) {
        std::string text = fmt::format("{}: {} problem{} found", path, problems.size(), problems.size() == 1 ? "" : "s");
        for (const std::string& problem : problems) text += "\n" + problem;
        throw StoreError(ExitCode::Data, text);
    }
    const std::vector<BlockKey> blocks = store.blocks();
    const std::int64_t trials = trial_count(blocks);
    const char* kind = store.contents() == StoreContents::Summary ? "aggregates" : "blocks";
    print(fmt::format("{}: no damage found; {} cells, {} {}, {} trials, all hashes match\n", path, store.cells().size(), blocks.size(),
                      kind, trials));
    if (const std::size_t begun = store.checkpoints().size(); begun > 0)
        print(fmt::format("{} block{} in progress {} a checkpoint; a run of the same version that needs its trials goes on from there\n",
                          begun, begun == 1 ? "" : "s", begun == 1 ? "has" : "have"));
    // Blocks need not come in order, so a campaign that was stopped may have gaps.
    for (const BlockKey& gap : store.gaps())
        print(fmt::format("cell {}: trials {} to {} are missing, but later ones are stored; `limrisk run` computes them{}\n", gap.cell,
                          gap.first_trial, gap.first_trial + gap.count - 1,
                          store.stopping() ? ", unless the stopping rule has ended the cell" : ""));
    return ExitCode::Done;
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
    const auto path = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("verify", "check the hashes and values of a store");
    command->add_option("STORE", *path, "a store that `limrisk run` wrote")->required();
    command->footer(examples({"limrisk verify campaign.db"}));
    command->callback([&action, path] { action = [path] { return verify(*path); }; });
}

}  // namespace limrisk::cli
