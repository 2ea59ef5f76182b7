// Speed, time left and their texts at the edges: what the display says at the beginning, after a pause, and just below a full number.
#include "driver/progress.hpp"

#include <gmock/gmock.h>

namespace limrisk {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Progress at(double seconds, double replica_steps) {
    Progress sample;
    sample.seconds = seconds;
    sample.replica_steps = replica_steps;
    sample.cost_total = 1000;
    return sample;
}

TEST(ProgressMeter, SpeedIsThatOfTheLastFiveSeconds) {
    ProgressMeter meter;
    EXPECT_EQ(meter.speed(), 0);
    meter.add(at(2, 50));
    EXPECT_EQ(meter.speed(), 25) << "one sample: since the run began";
    for (int second = 3; second <= 10; ++second) meter.add(at(second, 50 + 100 * (second - 2)));
    EXPECT_EQ(meter.speed(), 100);
    for (int second = 11; second <= 15; ++second) meter.add(at(second, 850 + 1000 * (second - 10)));
    EXPECT_EQ(meter.speed(), 1000);
    meter.add(at(115, 5850 + 700));
    EXPECT_EQ(meter.speed(), 7) << "after a pause: since the sample before it";
}

TEST(ProgressMeter, NothingToDoIsDone) {
    ProgressMeter meter;
    meter.add(Progress{});
    EXPECT_EQ(meter.fraction(), 1);
    EXPECT_EQ(meter.seconds_left(), 0);
}

/// A run after ten seconds, half done unless the test says otherwise.
class ProgressLineTest : public ::testing::Test {
protected:
    ProgressLineTest() { sample_.cost_done = 500; }
    /// The line once the sample has been added.
    std::string line(int columns = 100) {
        meter_.add(sample_);
        return progress_line(meter_, columns);
    }
    Progress sample_ = at(10, 1);
    ProgressMeter meter_;
};

TEST_F(ProgressLineTest, IsDoneOnlyWhenAllIsDone) {
    sample_.cost_done = 999.9;
    EXPECT_THAT(line(), HasSubstr(" 99 %"));
    sample_.cost_done = 1000;
    EXPECT_THAT(line(), HasSubstr("100 %"));
}

TEST_F(ProgressLineTest, SaysWhatTheTimeLeftMeans) {
    EXPECT_THAT(line(), HasSubstr("  0:10 left"));
    sample_.at_most = true;
    EXPECT_THAT(line(), HasSubstr("  at most 0:10 left"));
    sample_.stopping = true;
    EXPECT_THAT(line(), HasSubstr("stopping"));
    EXPECT_THAT(line(), Not(HasSubstr("left")));
}

TEST_F(ProgressLineTest, TheBarHasFiveToThirtyCells) {
    EXPECT_THAT(line(64), StartsWith("  50 %"));
    EXPECT_THAT(line(65), StartsWith("[==>  ]  50 %"));
    EXPECT_THAT(line(300), StartsWith("[===============>              ]  50 %"));
}

TEST(ProgressTexts, AtTheirEdges) {
    EXPECT_EQ(duration_text(9.94), "9.9 s");
    EXPECT_EQ(duration_text(9.96), "0:10");
    EXPECT_EQ(clock_text(0), "0:00");
    EXPECT_EQ(clock_text(59.01), "1:00");
    EXPECT_EQ(clock_text(2 * 86400 - 1), "47:59:59");
    EXPECT_EQ(clock_text(2 * 86400), "2 days");
    EXPECT_EQ(speed_text(9.994e6), "9.99e6");
    EXPECT_EQ(speed_text(9.996e6), "1.00e7");
}

}  // namespace
}  // namespace limrisk
