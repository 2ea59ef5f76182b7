// Kinds that only fake_kinds.edits adds, where CONTRIBUTING.md says that a new kind is written: campaigns, descriptions, labels, messages
// and kernels must know them from there.
#include <gmock/gmock.h>

#include "backend/cell_plan.hpp"
#include "backend/cpu/run_block.hpp"
#include "campaign/campaign.hpp"
#include "campaign/catalog.hpp"
#include "campaign/cell_description.hpp"
#include "compare.hpp"
#include "limrisk/error.hpp"
#include "random_cells.hpp"

namespace limrisk::cpu {
extern const KernelTable fake_kinds_kernels;
}

namespace limrisk::test {
namespace {

using ::testing::HasSubstr;

Campaign campaign_with(const std::string& activation, const std::string& optimizer) {
    return parse_campaign(
        "name = \"fake\"\ntrials = 1\nsteps = 8\n[problem]\ninput = { law = \"uniform\", dimension = 1 }\ntarget = \"x1\"\n"
        "[network]\nwidth = 3\nactivation = " +
            activation + "\n[training]\nbatch = 4\noptimizer = " + optimizer + "\n",
        "fake.toml");
}

std::string refusal(const std::string& activation, const std::string& optimizer) {
    try {
        campaign_with(activation, optimizer);
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "";
}

TEST(FakeKinds, StandInTheCatalogs) {
    const CatalogEntry* ramp = activation_catalog().find("fake_ramp");
    ASSERT_NE(ramp, nullptr);
    ASSERT_EQ(ramp->parameters.size(), 1U);
    EXPECT_EQ(ramp->parameters[0].name, std::string("level"));
    const CatalogEntry* step = optimizer_catalog().find("fake_step");
    ASSERT_NE(step, nullptr);
    ASSERT_EQ(step->parameters.size(), 5U);  // with the weight decay that every optimizer has
    EXPECT_EQ(step->parameters[0].fallback, std::string("0.01"));
}

TEST(FakeKinds, AreReadDescribedAndLabelled) {
    const Campaign campaign = campaign_with(R"toml(["fake_ramp(0.5)", "fake_ramp", { name = "fake_ramp", level = -1 }])toml",
                                            R"toml(["fake_step", "fake_step(0.02, epsilon = 0.5)"])toml");
    ASSERT_EQ(campaign.cells.size(), 6U);
    EXPECT_EQ(campaign.cells[0].activation_label, "fake_ramp(0.5)");
    EXPECT_EQ(campaign.cells[0].optimizer_label, "fake_step(0.01)");
    EXPECT_EQ(campaign.cells[5].activation_label, "fake_ramp(-1)");
    EXPECT_EQ(campaign.cells[5].optimizer_label, "fake_step(0.02, epsilon=0.5)");
    EXPECT_EQ(campaign.cells[5].optimizer.alpha, 0.75);
    for (const CellConfig& cell : campaign.cells) {
        EXPECT_THAT(cell.description, HasSubstr(R"("name":"fake_ramp")"));
        EXPECT_THAT(cell.description, HasSubstr(R"("name":"fake_step")"));
        EXPECT_EQ(cell_from_description(cell.description).id, cell.id);
    }
}

TEST(FakeKinds, StandInMessages) {
    EXPECT_THAT(refusal("\"fake_rmap\"", "\"sgd(0.1)\""), HasSubstr("did you mean `fake_ramp`?"));
    EXPECT_THAT(refusal("\"thresholded_relu\"", "\"sgd(0.1)\""), HasSubstr("did you mean `fake_ramp`?"));
    EXPECT_THAT(refusal("\"relu\"", "\"signum\""), HasSubstr("did you mean `fake_step`?"));
    EXPECT_THAT(refusal("\"relu\"", "\"fake_step(0.1, alpha = 1)\""), HasSubstr("a number at least 0 and below 1"));
    EXPECT_THAT(refusal("\"relu\"", "\"fake_step(0.1, epsilon = 1e-44)\""), HasSubstr("epsilon 1e-44 is subnormal or 0 in float32"));
}

TEST(FakeKinds, GiveTheBitsOfTheReference) {
    using kernels::ActivationKind, kernels::OptimizerKind;
    int activations = 0, optimizers = 0;
    std::vector<CellConfig> cells = odd_cells(2026);
    for (const CellConfig& config : odd_cells(2027)) cells.push_back(config);
    for (const CellConfig& config : cells) {
        if (config.width > 40 || config.input.dimension > 5 || config.precision != kernels::Precision::Float32) continue;
        const bool activation = config.activation.kind == ActivationKind::Fake, optimizer = config.optimizer.kind == OptimizerKind::Fake;
        if (!activation && !optimizer) continue;
        const CellPlan plan(config);
        WorkStatus status;
        const auto block = cpu::run_block(cpu::fake_kinds_kernels, {&plan, 0, 2}, status, {true, true});
        ASSERT_TRUE(block.has_value());
        const reference::Tables tables = reference_tables(config);
        for (std::int64_t i = 0; i < 2; ++i)
            EXPECT_EQ(first_difference(*block, static_cast<std::size_t>(i), reference::run_trial(config, tables, i)), "")
                << cell_name(config);
        activations += activation ? 1 : 0;
        optimizers += optimizer ? 1 : 0;
    }
    EXPECT_GE(activations, 40);
    EXPECT_GE(optimizers, 40);
}

}  // namespace
}  // namespace limrisk::test
