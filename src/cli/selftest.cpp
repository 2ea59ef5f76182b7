// limrisk selftest: random cells on every instruction set, with other block sizes and on two threads at once, or on GPUs; every bit must
// agree.
#include <fmt/format.h>

#include <future>
#include <memory>

#include "campaign/campaign.hpp"
#include "cli/backend_choice.hpp"
#include "cli/backend_comparison.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/random_cell.hpp"
#include "cli/trial_difference.hpp"

namespace limrisk::cli {
namespace {

BlockResult run_range(Backend& backend, const CellPlan& plan, std::int64_t first, std::int64_t count) {
    WorkStatus status;
    std::optional<BlockResult> result = backend.run({&plan, first, count}, status, {.checks = false, .states = true});
    if (!result) throw Defect("the backend abandoned a block without being asked to");
    return std::move(*result);
}

void append(BlockResult& whole, BlockResult part) {
    whole.records.insert(whole.records.end(), part.records.begin(), part.records.end());
    whole.states.insert(whole.states.end(), std::make_move_iterator(part.states.begin()), std::make_move_iterator(part.states.end()));
}

/// Blocks of `size` trials, one after the other.
BlockResult run_in_blocks(Backend& backend, const CellPlan& plan, std::int64_t trials, std::int64_t size) {
    BlockResult whole;
    for (std::int64_t first = 0; first < trials; first += size)
        append(whole, run_range(backend, plan, first, std::min(size, trials - first)));
    return whole;
}

/// Two halves at once.
BlockResult run_on_two_threads(Backend& backend, const CellPlan& plan, std::int64_t trials) {
    const std::int64_t half = trials / 2;
    if (half == 0) return run_range(backend, plan, 0, trials);
    auto second = std::async(std::launch::async, [&] { return run_range(backend, plan, half, trials - half); });
    BlockResult whole = run_range(backend, plan, 0, half);
    append(whole, second.get());
    return whole;
}

/// Empty if all bits agree; else trial, field and both values.
std::string difference(const BlockResult& expected, const std::string& expected_name, const BlockResult& found,
                       const std::string& found_name) {
    for (std::size_t trial = 0; trial < expected.records.size(); ++trial) {
        std::string text = state_difference(found.states.at(trial), found_name.c_str(), expected.states.at(trial), expected_name.c_str());
        if (text.empty())
            text = record_difference(found.records.at(trial), found_name.c_str(), expected.records.at(trial), expected_name.c_str());
        if (!text.empty()) return fmt::format("trial {}: {}", trial, text);
    }
    return "";
}

struct Tally {
    std::int64_t trials = 0, comparisons = 0;
};

void check_cell(std::int64_t index, const RandomCell& cell, const std::vector<Isa>& isas, Tally& tally) {
    const Campaign campaign = parse_campaign(cell.toml, fmt::format("self test cell {}", index));
    const CellPlan plan(campaign.cells.at(0));
    const std::unique_ptr<Backend> first = make_cpu_backend(1, isas.front());
    const BlockResult expected = run_range(*first, plan, 0, cell.trials);
    const std::string expected_name = fmt::format("{} in one block", isa_name(isas.front()));
    const auto compare = [&](const BlockResult& found, const std::string& name) {
        const std::string text = difference(expected, expected_name, found, name);
        if (!text.empty()) throw Defect(fmt::format("self test, cell {}, {}\nThe cell:\n{}", index, text, cell.toml));
        ++tally.comparisons;
    };
    for (const Isa isa : isas) {
        const std::unique_ptr<Backend> backend = make_cpu_backend(2, isa);
        const bool reference = isa == isas.front();
        if (!reference) compare(run_range(*backend, plan, 0, cell.trials), fmt::format("{} in one block", isa_name(isa)));
        // Blocks and threads are the same code for every instruction set, and the portable one is by far the slowest.
        if (reference && isas.size() > 1) continue;
        compare(run_in_blocks(*backend, plan, cell.trials, 5), fmt::format("{} in blocks of 5", isa_name(isa)));
        compare(run_on_two_threads(*backend, plan, cell.trials), fmt::format("{} on two threads", isa_name(isa)));
    }
    tally.trials += cell.trials;
}

ExitCode selftest(std::int64_t cells, std::uint64_t seed) {
    const std::vector<Isa> isas = available_isas();
    std::string names;
    for (const Isa isa : isas) names += (names.empty() ? "" : ", ") + std::string(isa_name(isa));
    Tally tally;
    for (std::int64_t index = 0; index < cells; ++index) check_cell(index, random_cell(seed, index), isas, tally);
    print(fmt::format("{} random cells, {} trials, {} comparisons: every bit agrees ({}; one block and several, 1 and 2 threads)\n", cells,
                      tally.trials, tally.comparisons, names));
    return ExitCode::Done;
}

struct SelftestCommand {
    std::int64_t cells = random_cell_combinations;
    std::uint64_t seed = 1;
    BackendChoice backend{"cpu", 0, {}};
};

ExitCode selftest(const SelftestCommand& command) {
    if (command.backend.name == "auto") throw Error(ExitCode::Usage, "--backend auto: the self test needs one backend; use cpu or cuda");
    const std::unique_ptr<Backend> backend = choose_backend(command.backend, {}, backend_makers()).backend;
    if (command.backend.name == "cpu") return selftest(command.cells, command.seed);
    const std::unique_ptr<Backend> cpu = make_cpu_backend();
    const ComparisonTally tally = compare_backends(command.cells, command.seed, *cpu, *backend);
    print(fmt::format("{} random cells, {} trials, {} comparisons: every bit agrees ({} against {})\n", tally.cells, tally.trials,
                      tally.comparisons, backend->description(), cpu->description()));
    return ExitCode::Done;
}

}  // namespace

void add_selftest(CLI::App& app, Action& action) {
    const auto options = std::make_shared<SelftestCommand>();
    CLI::App* command = app.add_subcommand("selftest", "run random cells on all instruction sets, or on the GPU, and compare all bits");
    command
        ->add_option("--cells", options->cells,
                     "number of cells; the default covers every activation with every optimizer in both precisions")
        ->type_name("N")
        ->transform(whole_number(1, 1000000))
        ->capture_default_str();
    command->add_option("--seed", options->seed, "seed of the random cells")
        ->type_name("N")
        ->transform(whole_number(0, UINT64_MAX))
        ->capture_default_str();
    command->add_option("--backend", options->backend.name, "cpu: compare its instruction sets; cuda: compare GPUs with the CPU")
        ->type_name("NAME")
        ->capture_default_str();
    add_devices_option(*command, options->backend.devices);
    command->footer(examples({"limrisk selftest --cells 20", "limrisk selftest --cells 10 --seed 7"}));
    command->callback([&action, options] { action = [options] { return selftest(*options); }; });
}

}  // namespace limrisk::cli
