// Which backend runs, for every combination of options and machines; backends here are names only.
#include "cli/backend_choice.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "campaign/campaign.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class NamedBackend : public Backend {
public:
    explicit NamedBackend(std::string name, std::string problem = "") : name_(std::move(name)), problem_(std::move(problem)) {}
    std::string description() const override { return name_; }
    int concurrency() const override { return 1; }
    void prepare(const std::vector<CellConfig>& cells) override {
        if (!problem_.empty() && !cells.empty()) throw DeviceError(problem_);
        prepared = "whole";
    }
    void prepare_to_run(const std::vector<CellConfig>& cells) override {
        prepare(cells);
        prepared = "for a run";
    }
    std::optional<BlockResult> run(const WorkItem&, WorkStatus&, const BlockOptions&) override { return std::nullopt; }

    std::string prepared;

private:
    std::string name_, problem_;
};

/// A machine with the GPUs 0 and 2.
BackendMakers two_gpus() {
    return {[](int threads) { return std::make_unique<NamedBackend>(fmt::format("cpu {}", threads)); },
            [](const std::vector<int>& devices) { return std::make_unique<NamedBackend>(fmt::format("cuda of {}", devices.size())); },
            [] {
                return std::vector<int>{0, 2};
            },
            true};
}

BackendMakers no_gpu() {
    BackendMakers makers = two_gpus();
    makers.cuda = [](const std::vector<int>&) -> std::unique_ptr<Backend> { throw DeviceError("no driver\nand a long story"); };
    makers.cuda_devices = []() -> std::vector<int> { throw DeviceError("no driver\nand a long story"); };
    return makers;
}

std::string chosen(const BackendChoice& choice, const BackendMakers& makers, const std::vector<CellConfig>& cells = {CellConfig{}}) {
    const ChosenBackend result = choose_backend(choice, cells, makers);
    return result.backend->description() + (result.no_gpu.empty() ? "" : "; " + result.no_gpu);
}

std::pair<ExitCode, std::string> refusal(const BackendChoice& choice, const BackendMakers& makers) {
    try {
        return {ExitCode::Done, chosen(choice, makers)};
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
}

TEST(BackendChoice, AutoTakesTheGpusIfItCan) {
    EXPECT_EQ(chosen({}, two_gpus()), "cuda of 0");
    EXPECT_EQ(chosen({"auto", 0, {2}}, two_gpus()), "cuda of 1");
    EXPECT_EQ(chosen({"auto", 3, {}}, two_gpus()), "cpu 3");
    EXPECT_EQ(chosen({"cpu", 0, {}}, two_gpus()), "cpu 0");
    EXPECT_EQ(chosen({"cuda", 0, {}}, two_gpus()), "cuda of 0");
}

TEST(BackendChoice, ARunBeginsBeforeAllIsReady) {
    for (const char* name : {"auto", "cpu", "cuda"}) {
        const auto prepared = [&](Preparation preparation) {
            const ChosenBackend result = choose_backend({name, 0, {}}, {CellConfig{}}, two_gpus(), preparation);
            return dynamic_cast<const NamedBackend&>(*result.backend).prepared;
        };
        EXPECT_EQ(prepared(Preparation::Whole), "whole");
        EXPECT_EQ(prepared(Preparation::ForRun), "for a run");
    }
}

TEST(BackendChoice, AutoSaysInAFewWordsThatItTakesTheCpu) {
    EXPECT_EQ(chosen({}, no_gpu()), "cpu 0; see `limrisk doctor`");
    EXPECT_EQ(chosen({"cpu", 0, {}}, no_gpu()), "cpu 0");
    EXPECT_EQ(chosen({"auto", 2, {}}, no_gpu()), "cpu 2");
    BackendMakers without = no_gpu();
    without.cuda_in_build = false;
    EXPECT_EQ(chosen({}, without), "cpu 0");
}

TEST(BackendChoice, CellsThatTheGpuCannotRunAreFoundBeforeTheRun) {
    BackendMakers makers = two_gpus();
    makers.cuda = [](const std::vector<int>&) { return std::make_unique<NamedBackend>("cuda", "cell 3 does not compile"); };
    EXPECT_EQ(chosen({}, makers), "cpu 0; cell 3 does not compile");
    EXPECT_EQ(chosen({}, makers, {}), "cuda");
    EXPECT_THAT(refusal({"cuda", 0, {}}, makers), testing::Pair(ExitCode::Unavailable, HasSubstr("cell 3 does not compile")));
}

TEST(BackendChoice, CudaByNameOrByDeviceFailsWithTheWholeReason) {
    EXPECT_THAT(refusal({"cuda", 0, {}}, no_gpu()), testing::Pair(ExitCode::Unavailable, HasSubstr("no driver\nand a long story")));
    EXPECT_THAT(refusal({"auto", 0, {0}}, no_gpu()), testing::Pair(ExitCode::Unavailable, HasSubstr("no driver")));
}

TEST(BackendChoice, AutoDoesNotHideOtherErrors) {
    BackendMakers makers = two_gpus();
    makers.cuda = [](const std::vector<int>&) -> std::unique_ptr<Backend> { throw Defect("two and two are five"); };
    EXPECT_THAT(refusal({}, makers), testing::Pair(ExitCode::Defect, HasSubstr("five")));
}

TEST(BackendChoice, RefusesWhatContradictsItself) {
    const auto usage = [](const BackendChoice& choice, const char* words) {
        EXPECT_THAT(refusal(choice, two_gpus()), testing::Pair(ExitCode::Usage, HasSubstr(words)));
    };
    usage({"abacus", 0, {}}, "allowed are auto, cpu and cuda");
    usage({"cpu", 0, {0}}, "--backend cuda");
    usage({"cuda", 4, {}}, "--threads");
    usage({"auto", 4, {0}}, "one of them");
    usage({"cuda", 0, {0, 1}}, "device 1 does not exist; available are 0, 2");
}

TEST(BackendChoice, ListsOfDevices) {
    EXPECT_THAT(parse_devices("0"), ElementsAre(0));
    EXPECT_THAT(parse_devices("2,0,10"), ElementsAre(2, 0, 10));
    for (const char* text : {"", ",", "1,", ",1", "1;2", "-1", "+1", "1.0", "99999999999", "0x1", " 1", "0,0"})
        EXPECT_THROW(parse_devices(text), Error) << text;
}

}  // namespace
}  // namespace limrisk::cli
