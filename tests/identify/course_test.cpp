#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <lrid/identify/course.hpp>

namespace lrid::identify {
namespace {

TEST(Course, SaysWhenHalfOfTheWayIsDoneAndWhichWayItWent) {
  const std::vector<float> steady{0, 1, 2, 3, 4}, early{0, 8, 9, 10, 10}, back{5, 1, 5},
      late{10, 10, 10, 10, 4};
  EXPECT_DOUBLE_EQ(course_of(steady).half_time, 0.5);
  EXPECT_DOUBLE_EQ(course_of(steady).direction, 1);
  EXPECT_DOUBLE_EQ(course_of(early).half_time, 5.0 / 8 / 4);
  EXPECT_DOUBLE_EQ(course_of(back).half_time, 0.5);
  EXPECT_DOUBLE_EQ(course_of(back).direction, 0);
  EXPECT_DOUBLE_EQ(course_of(late).half_time, 3.5 / 4);
  EXPECT_DOUBLE_EQ(course_of(late).direction, -1);
}

TEST(Course, IsFreeOfScale) {
  const std::vector<float> small{1, 3, 4, 2}, large{1024, 3072, 4096, 2048};
  EXPECT_DOUBLE_EQ(course_of(small).half_time, course_of(large).half_time);
  EXPECT_DOUBLE_EQ(course_of(small).direction, course_of(large).direction);
}

TEST(Course, OfWhatDoesNotChangeOrIsNoNumberThereIsNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& values :
       {std::vector<float>{2, 2, 2}, {1, nan, 2}, {1, infinity, 2}, {3}, {}}) {
    EXPECT_TRUE(std::isnan(course_of(values).half_time));
    EXPECT_TRUE(std::isnan(course_of(values).direction));
  }
}

TEST(Course, TheMeanLeavesOutSamplesWithoutOne) {
  io::Dataset data;
  data.points = 3;
  data.samples = 3;
  data.observable_names = {"a", "b"};
  data.x = {0, 7, 1, 7, 2, 7,   // a: ½, b: none
            0, 0, 3, 7, 3, 7,   // ¼, ¼
            1, 7, 1, 7, 1, 7};  // none
  const std::vector<Course> courses = mean_courses(data, {0, 1, 2}, {"b", "a", "c"});
  ASSERT_EQ(courses.size(), 3U);
  EXPECT_DOUBLE_EQ(courses[0].half_time, 0.25);
  EXPECT_DOUBLE_EQ(courses[1].half_time, 0.375);
  EXPECT_TRUE(std::isnan(courses[2].half_time));
}

}  // namespace
}  // namespace lrid::identify
