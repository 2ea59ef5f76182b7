// Trials that take longer than the time between two checkpoints: killed and stopped in their middle.
#include <fmt/format.h>
#include <signal.h>

#include "limrisk/error.hpp"
#include "program.hpp"
#include "store/store.hpp"

namespace limrisk::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// One block that takes some seconds.
class CheckpointTest : public ProgramTest {
protected:
    void SetUp() override {
        ProgramTest::SetUp();
        write("long.toml", campaign_text(3, 12000000, "[4]"));
    }
    std::int64_t steps_held() const {
        std::int64_t sum = 0;
        if (!std::filesystem::exists(path("long.db"))) return 0;
        try {
            for (const StoredCheckpoint& checkpoint : Store::open(path("long.db")).checkpoints()) sum += checkpoint.replica_steps;
        } catch (const StoreError&) {
            return 0;  // the writer is at it
        }
        return sum;
    }
    void expect_same_as_undisturbed() {
        succeed({"verify", "long.db"});
        succeed({"run", "long.toml", "--quiet", "--store", "undisturbed.db"});
        EXPECT_TRUE(exported("long.db") == exported("undisturbed.db"));
        EXPECT_TRUE(Store::open(path("long.db")).checkpoints().empty());
    }
};

TEST_F(CheckpointTest, KillsInTheMiddleOfABlockCostLittle) {
    int kills = 0;
    std::int64_t held = 0;
    bool ended = false;
    while (!ended && kills < 3) {
        Process process(directory(), {"limrisk", "run", "long.toml", "--checkpoint-every", "0:00:01"});
        const std::int64_t before = held;
        ASSERT_TRUE(eventually([&] {
            if (!process.running()) return true;
            held = steps_held();
            return held > before;
        })) << process.stderr_so_far();
        ended = !process.running();
        process.send(SIGKILL);
        const Output output = process.wait();
        if (ended) {
            EXPECT_EQ(output.code, 0) << output.err;
        }
        if (!ended) ++kills;
        if (before > 0) {
            EXPECT_THAT(output.err, HasSubstr("continuing: 1 block in progress has a checkpoint, ")) << "it began anew";
        }
    }
    EXPECT_GE(kills, 2) << "too fast a machine: give the block more steps";
    if (!ended) {
        const Output verified = succeed({"verify", "long.db"});
        EXPECT_THAT(verified.out, HasSubstr("1 block in progress has a checkpoint"));
        EXPECT_THAT(succeed({"summary", "long.db"}).out, testing::Not(HasSubstr("checkpoint"))) << "it is no result";
        succeed({"run", "long.toml"});
    }
    expect_same_as_undisturbed();
}

TEST_F(CheckpointTest, WhatIsGivenUpAfterTheGraceIsKept) {
    write("long.toml", campaign_text(3, 1000000000, "[4]"));
    std::int64_t before = 0;
    for (int run = 0; run < 2; ++run) {
        Process process(directory(), {"limrisk", "run", "long.toml"});
        ASSERT_TRUE(eventually([&] { return process.stderr_so_far().find("campaign ") != std::string::npos; }));
        sleep_for(300ms);
        process.send(SIGINT);
        const Output output = process.wait();
        EXPECT_EQ(output.code, 130) << output.err;
        EXPECT_THAT(output.err, HasSubstr("long.db, 0 of them from this run\n1 block in progress has a checkpoint, "));
        EXPECT_GT(steps_held(), before);
        before = steps_held();
        if (run == 1) {
            EXPECT_THAT(output.err, HasSubstr("continuing: 1 block in progress has a checkpoint, "));
        }
    }
}

TEST_F(CheckpointTest, TheTimeBetweenTwoIsChecked) {
    for (const char* wrong : {"0:00:00", "60", "-1", "never"}) {
        const Output output = limrisk({"run", "long.toml", "--checkpoint-every", wrong});
        EXPECT_EQ(output.code, 64) << wrong;
        EXPECT_THAT(output.err, HasSubstr("--checkpoint-every"));
    }
}

}  // namespace
}  // namespace limrisk::test
