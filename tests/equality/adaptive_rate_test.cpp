// Learning rates that every trial lowers for itself: the scalar reference bit for bit, in any block, moved between groups, from
// checkpoints; and PyTorch's rule, by its formula, where training is exact.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <utility>

#include "adaptive_cells.hpp"
#include "backend/cell_plan.hpp"
#include "campaign/campaign.hpp"
#include "compare.hpp"
#include "random_cells.hpp"
#include "reference/optimizer.hpp"

namespace limrisk::test {
namespace {

BlockResult run(Backend& backend, const CellConfig& config, std::int64_t first, std::int64_t count, bool all = true) {
    const CellPlan plan(config);
    WorkStatus status;
    auto result = backend.run({&plan, first, count}, status, {.checks = all, .states = all});
    EXPECT_TRUE(result.has_value());
    return std::move(*result);
}

BlockResult records_of(Backend& backend, const CellConfig& config, std::int64_t first, std::int64_t count) {
    return run(backend, config, first, count, false);
}

/// F after the checks of a trial, from their risks; written as PyTorch's ReduceLROnPlateau.step is.
double factor_by_pytorch(const kernels::LearningRate& rate, const std::vector<double>& risks) {
    double best = std::numeric_limits<double>::infinity(), rate_now = rate.initial;
    std::int64_t bad_epochs = 0;
    const std::int64_t patience = rate.every - 1;
    for (const double metric : risks) {
        if (metric < best * (1 - rate.threshold)) {
            best = metric;
            bad_epochs = 0;
        } else {
            bad_epochs += 1;
        }
        if (bad_epochs > patience) {
            rate_now = std::max(rate_now * rate.factor, rate.last);
            bad_epochs = 0;
        }
    }
    return rate_now / rate.initial;
}

std::vector<double> risks_of(const reference::TrialResult& trial) {
    std::vector<double> risks;
    for (const reference::CheckResult& check : trial.checks) risks.push_back(check.risk);
    return risks;
}

TEST(AdaptiveRates, ScalarReference) {
    std::map<std::string, int> seen;
    for (const CellConfig& config : adaptive_cells(2026)) {
        const reference::Tables tables = reference_tables(config);
        const std::int64_t count = config.index % 2 ? 5 : 11;
        std::vector<BlockResult> blocks;
        for (const Isa isa : available_isas()) blocks.push_back(run(*make_cpu_backend(1, isa), config, config.index, count));
        std::map<double, int> factors;
        for (std::int64_t i = 0; i < count; ++i) {
            const reference::TrialResult truth = reference::run_trial(config, tables, config.index + i);
            for (std::size_t b = 0; b < blocks.size(); ++b)
                ASSERT_EQ(first_difference(blocks[b], static_cast<std::size_t>(i), truth), "")
                    << isa_name(available_isas()[b]) << ", trial " << config.index + i << ", " << cell_name(config);
            if (truth.record.verdict == Verdict::Diverged || config.learning_rate.searches()) continue;
            const double factor = reference::adapted_factor(config.learning_rate, risks_of(truth));
            const double theirs = factor_by_pytorch(config.learning_rate, risks_of(truth));
            ASSERT_NEAR(factor, theirs, 1e-14 * theirs);
            ++factors[factor];
        }
        seen["cells"] += 1;
        seen["search"] += config.learning_rate.searches();
        seen["lowered"] += factors.size() > 1 || (factors.size() == 1 && factors.begin()->first < 1);
        seen["of different trials differently"] += factors.size() > 1;
        seen["at the least rate"] +=
            config.learning_rate.last > 0 && factors.contains(config.learning_rate.last / config.learning_rate.initial);
    }
    for (const auto& [what, cells] : seen) std::printf("%s: %d\n", what.c_str(), cells);
    EXPECT_GE(seen["cells"], 60);
    EXPECT_GE(seen["search"], 30);
    EXPECT_GE(seen["lowered"], 50);
    EXPECT_GE(seen["of different trials differently"], 30);
    EXPECT_GE(seen["at the least rate"], 3);
}

/// One trial at a time, and all together: no other trial of a block matters.
TEST(AdaptiveRates, AnyBlock) {
    const auto backend = make_cpu_backend(1);
    const std::vector<CellConfig> cells = adaptive_cells(7);
    for (std::size_t c = 0; c < cells.size(); c += 7) {
        const BlockResult whole = records_of(*backend, cells[c], 0, 37);
        for (const std::int64_t trial : {0, 5, 36}) {
            BlockResult one;
            one.records = {whole.records.at(static_cast<std::size_t>(trial))};
            EXPECT_EQ(first_difference(one, records_of(*backend, cells[c], trial, 1)), "") << cell_name(cells[c]);
        }
    }
}

/// A block that is given up between checks, and goes on from its checkpoint on another instruction set.
TEST(AdaptiveRates, SurviveCheckpoints) {
    std::mt19937_64 random(3);
    int resumed = 0;
    const std::vector<CellConfig> cells = adaptive_cells(11);
    for (std::size_t c = 0; c < cells.size(); c += 3) {
        const CellPlan plan(cells[c]);
        const BlockResult whole = records_of(*make_cpu_backend(1), cells[c], 0, 9);
        Checkpoint last, next;
        for (bool begun = false;; begun = true) {
            WorkStatus status;
            std::int64_t left = 1 + static_cast<std::int64_t>(random() % 5);
            Checkpointing checkpoints;
            checkpoints.interval = std::chrono::milliseconds(0);
            if (begun) checkpoints.from = &last;
            checkpoints.write = [&](Checkpoint checkpoint) {
                next = std::move(checkpoint);
                if (--left == 0) status.abandon = true;
            };
            checkpoints.refuse = [](const std::string& why) { FAIL() << why; };
            checkpoints.round_steps = 1 + static_cast<std::int64_t>(random() % 5);
            const std::vector<Isa> isas = available_isas();
            const auto backend = make_cpu_backend(1, isas[random() % isas.size()]);
            const auto result = backend->run({&plan, 0, 9}, status, {.checkpoints = &checkpoints});
            ASSERT_FALSE(HasFailure()) << cell_name(cells[c]);
            if (result) {
                ASSERT_EQ(first_difference(whole, *result), "") << cell_name(cells[c]);
                break;
            }
            ++resumed;
            last = std::exchange(next, {});
        }
    }
    EXPECT_GE(resumed, 50);
}

/// Risks at the checks, one a step: c = 0 at the start, and the risk is (c - 2)^2 + 1.
std::vector<double> risks_of_plateau(const std::string& rate) {
    const Campaign campaign = parse_campaign(
        "name = \"plateau\"\ntrials = 1\nsteps = 8\nprecision = \"float64\"\n[problem]\ndata = { points = [[0, 1], [1, 3]] }\n[network]\n"
        "width = 0\n[training]\noptimizer = { name = \"sgd\", learning_rate = " +
            rate + " }\n[tracking]\nchecks = 8\ntail = 1\n",
        "plateau.toml");
    const BlockResult block = run(*make_cpu_backend(1), campaign.cells.at(0), 0, 1);
    std::vector<double> all;
    for (const CheckRecord& check : block.checks.at(0)) all.push_back(check.risk);
    return all;
}

/// A rate of 1 throws c from 0 to 4 and back, and half of it ends at 2. All of it is exact.
TEST(AdaptiveRates, ClosedForm) {
    const auto risks = risks_of_plateau;
    const std::vector<double> thrown(9, 5.0);
    EXPECT_EQ(risks("1.0"), thrown);
    const std::string adaptive = "{ schedule = \"adaptive\", initial = 1.0, factor = 0.5, ";
    EXPECT_EQ(risks(adaptive + "patience = 8 }"), thrown) << "too late";
    EXPECT_EQ(risks(adaptive + "patience = 2 }"), (std::vector<double>{5, 5, 5, 1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(risks(adaptive + "patience = 1 }"), (std::vector<double>{5, 5, 1, 1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(risks(adaptive + "patience = 2, least = 1.0 }"), thrown) << "it may not fall";
    // With three quarters c - 2 is halved in every step and changes its sign, and with half of that rate it is divided by 4.
    const std::string quarters = "{ schedule = \"adaptive\", initial = 0.75, factor = 0.5, patience = 1, threshold = ";
    EXPECT_EQ(risks(quarters + "0.5 }").at(2), 1.25) << "from 5 to 2 is a fall by more than half";
    EXPECT_EQ(risks(quarters + "0.5 }").at(3), 1.015625) << "from 2 to 1.25 is not";
    EXPECT_EQ(risks(quarters + "0.75 }").at(1), 2);
    EXPECT_EQ(risks(quarters + "0.75 }").at(2), 1.0625);
}

/// A step with the rate r takes c - 2 to (1 - 2 r)(c - 2), so a search is known by hand.
TEST(AdaptiveRates, SearchesInClosedForm) {
    const auto risks = [](const std::string& keys) {
        return risks_of_plateau("{ schedule = \"search\", initial = 1.0, factor = 0.5, patience = 8, " + keys + " }");
    };
    // Of 2, 1, 1/2 the last ends at 2 in one step; with two steps as well.
    EXPECT_EQ(risks("rates = 3, search_steps = 1"), (std::vector<double>{5, 1, 1, 1, 1, 1, 1, 1, 1}));
    EXPECT_EQ(risks("rates = 3, search_steps = 2"), (std::vector<double>{5, 1, 1, 1, 1, 1, 1, 1, 1}));
    // It may go down to 1 only: all steps throw c from 0 to 4 and back, and 2 is worse.
    EXPECT_EQ(risks("rates = 3, search_steps = 1, least = 1.0"), std::vector<double>(9, 5.0));
    // From 1/16 the largest of five is 1/4, which halves c - 2; the next search, after the first check, as every risk falls by less, finds
    // 1/2.
    const std::string slow = "{ schedule = \"search\", initial = 0.0625, factor = 0.5, rates = 5, search_steps = 3, patience = ";
    EXPECT_EQ(risks_of_plateau(slow + "8 }"),
              (std::vector<double>{5, 2, 1.25, 1.0625, 1.015625, 1.00390625, 1.0009765625, 1.000244140625, 1.00006103515625}));
    EXPECT_EQ(risks_of_plateau(slow + "1, threshold = 0.75 }"), (std::vector<double>{5, 2, 1, 1, 1, 1, 1, 1, 1}));
}

}  // namespace
}  // namespace limrisk::test
