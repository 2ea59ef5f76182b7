// The self test of one backend against another, with a CPU backend that makes a mistake on order.
#include "cli/backend_comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <functional>

#include "campaign/campaign.hpp"
#include "cli/trial_difference.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cli {
namespace {

using testing::HasSubstr;

Campaign campaign() {
    return parse_campaign(R"(
        name = "comparison"
        trials = 9
        steps = 23
        [problem]
        input = { law = "uniform", dimension = 2, low = 0.0, high = 1.0 }
        target = "x1 + x2"
        [network]
        width = 3
        [training]
        batch = 4
        optimizer = { name = "adam", learning_rate = 0.01 }
        [tracking]
        checks = 4
        tail = 1
        [evaluation]
        nodes = 4
        final_nodes = 4
    )",
                          "backend_comparison_test");
}

/// Runs on the CPU, then does `mistake` to trial 5 of what comes out.
class Mistaken : public Backend {
public:
    using Mistake = std::function<void(const CellConfig&, BlockResult&, std::size_t)>;
    explicit Mistaken(Mistake mistake) : right_(make_cpu_backend(1)), mistake_(std::move(mistake)) {}
    std::string description() const override { return "mistaken"; }
    int concurrency() const override { return 2; }
    void prepare(const std::vector<CellConfig>& cells) override { prepared.insert(prepared.end(), cells.begin(), cells.end()); }
    std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions& options) override {
        prepared_before_first_run = std::min(prepared_before_first_run, prepared.size());
        std::optional<BlockResult> result = right_->run(item, status, options);
        if (item.worker == 1 && item.first_trial <= 5 && 5 < item.first_trial + item.count)
            mistake_(item.plan->config(), *result, static_cast<std::size_t>(5 - item.first_trial));
        return result;
    }

    std::vector<CellConfig> prepared;
    std::size_t prepared_before_first_run = SIZE_MAX;

private:
    std::unique_ptr<Backend> right_;
    Mistake mistake_;
};

double next_bits(double value) { return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) ^ 1); }

std::string difference(Mistaken::Mistake mistake) {
    Mistaken mistaken(std::move(mistake));
    const std::unique_ptr<Backend> cpu = make_cpu_backend(1);
    EXPECT_EQ(backend_difference(campaign().cells.front(), 9, *cpu, mistaken, 0), "") << "worker 0 makes no mistake";
    return backend_difference(campaign().cells.front(), 9, *cpu, mistaken, 1);
}

TEST(BackendComparison, NothingToSayOfEqualBackends) {
    EXPECT_EQ(difference([](const CellConfig&, BlockResult&, std::size_t) {}), "");
}

TEST(BackendComparison, NamesTrialStepAndNeuronOfAParameter) {
    for (const std::int64_t step : {1, 2, 13, 22, 23}) {
        const std::string text = difference([step](const CellConfig& cell, BlockResult& result, std::size_t trial) {
            if (cell.steps >= step) result.states[trial].parameters[3] = next_bits(result.states[trial].parameters[3]);
        });
        EXPECT_THAT(text, testing::StartsWith("trial 5, step " + std::to_string(step) + " of 23: parameter 3 (w[1][1], neuron 1) is "));
        EXPECT_THAT(text, HasSubstr("in mistaken, "));
        EXPECT_THAT(text, HasSubstr("in cpu: "));
    }
}

TEST(BackendComparison, NamesBiasesOuterWeightsAndOptimizerStates) {
    // Width 3, dimension 2: w at 0..5, b at 6..8, v at 9..11, c at 12.
    const auto place = [](std::vector<double> FinalState::*array, std::size_t index) {
        return difference([=](const CellConfig&, BlockResult& result, std::size_t trial) {
            double& value = (result.states[trial].*array)[index];
            value = next_bits(value);
        });
    };
    EXPECT_THAT(place(&FinalState::parameters, 8), HasSubstr("step 1 of 23: parameter 8 (b[2], neuron 2)"));
    EXPECT_THAT(place(&FinalState::parameters, 9), HasSubstr("(v[0], neuron 0)"));
    EXPECT_THAT(place(&FinalState::parameters, 12), HasSubstr("(c)"));
    EXPECT_THAT(place(&FinalState::first_state, 5), HasSubstr("first state 5 (w[2][1], neuron 2)"));
    EXPECT_THAT(place(&FinalState::second_state, 6), HasSubstr("second state 6 (b[0], neuron 0)"));
    EXPECT_THAT(place(&FinalState::initial_parameters, 0), HasSubstr("trial 5, step 0: initial parameter 0 (w[0][0], neuron 0)"));
}

TEST(BackendComparison, NamesTheCheckAndTheFieldOfTheRecord) {
    EXPECT_THAT(difference([](const CellConfig&, BlockResult& result, std::size_t trial) { result.checks[trial].at(2).kinked += 1; }),
                testing::MatchesRegex("trial 5, same parameters and states; step [0-9]+: kinked is .* in mistaken, .* in cpu: .*"));
    EXPECT_THAT(difference([](const CellConfig&, BlockResult& result, std::size_t trial) {
                    result.records[trial].best_risk = next_bits(result.records[trial].best_risk);
                }),
                HasSubstr("its record: best_risk is "));
}

/// Processors differ in the bits of a NaN.
TEST(BackendComparison, AllNansAreEqual) {
    const auto nan = [](std::uint64_t bits) { return std::bit_cast<double>(bits); };
    const auto put = [](BlockResult& result, double value) {
        result.states[5].parameters[3] = result.states[5].first_state[4] = value;
        result.checks[5].at(2).gradient_norm = result.records[5].gradient_norm = value;
    };
    Mistaken cpu([&](const CellConfig&, BlockResult& result, std::size_t) { put(result, nan(0xFFF8000000000000)); });
    Mistaken gpu([&](const CellConfig&, BlockResult& result, std::size_t) { put(result, nan(0x7FFFFFFFE0000000)); });
    const BlockOptions everything{.checks = true, .states = true};
    const CellPlan plan(campaign().cells.front());
    WorkStatus status;
    BlockResult left = *cpu.run({&plan, 0, 9, 1}, status, everything), right = *gpu.run({&plan, 0, 9, 1}, status, everything);
    EXPECT_EQ(state_difference(left.states[5], "cpu", right.states[5], "gpu", 3, 2), "");
    EXPECT_EQ(check_difference(left.checks[5].at(2), "cpu", right.checks[5].at(2), "gpu"), "");
    EXPECT_EQ(record_difference(left.records[5], "cpu", right.records[5], "gpu"), "");
    put(right, 1);
    EXPECT_THAT(state_difference(left.states[5], "cpu", right.states[5], "gpu", 3, 2), HasSubstr("parameter 3"));
    EXPECT_THAT(check_difference(left.checks[5].at(2), "cpu", right.checks[5].at(2), "gpu"), HasSubstr("gradient_norm"));
    EXPECT_THAT(record_difference(left.records[5], "cpu", right.records[5], "gpu"), HasSubstr("gradient_norm"));
}

TEST(BackendComparison, ACellOfTheSelfTestSaysWhichAndHowToRunItAgain) {
    const std::unique_ptr<Backend> cpu = make_cpu_backend(1);
    Mistaken right([](const CellConfig&, BlockResult&, std::size_t) {});
    const ComparisonTally tally = compare_backends(3, 1, *cpu, right);
    EXPECT_EQ(tally.cells, 3);
    EXPECT_EQ(tally.comparisons, 6);
    EXPECT_EQ(right.prepared.size(), 3u) << "the programs of the cells are compiled side by side";
    EXPECT_EQ(right.prepared_before_first_run, 3u);
    Mistaken wrong([](const CellConfig&, BlockResult& result, std::size_t trial) { result.records[trial].fingerprint ^= 1; });
    try {
        compare_backends(98, 1, *cpu, wrong);
        FAIL() << "no exception";
    } catch (const Defect& error) {
        EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("worker 1, cell "), HasSubstr("trial 5, "), HasSubstr("fingerprint is "),
                                                 HasSubstr("[network]")));
    }
}

}  // namespace
}  // namespace limrisk::cli
